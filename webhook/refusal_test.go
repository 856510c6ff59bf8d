package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// unlogged returns the number of logged refusals with this status, and the number of
// the others that the lines name.
func unlogged(t *testing.T, log *recvLog, status float64) (logged int, others float64) {
	t.Helper()
	for _, line := range log.lines(t) {
		if line["status"] != status {
			continue
		}
		if line["reason"] != nil {
			logged++
		}
		if n, ok := line["unlogged"].(float64); ok {
			others += n
		}
	}
	return logged, others
}

func TestAFloodOfRefusalsIsLoggedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := recvSource()
		rc := webhook.NewReceiver(src, recvOK)
		var log *recvLog
		rc.Logger, log = recvLogger()
		want := func(when string, status, logged int, others float64) {
			t.Helper()
			gotLogged, gotOthers := unlogged(t, log, float64(status))
			if gotLogged != logged || gotOthers != others {
				t.Errorf("%s: %d refusals with %d are logged and %v others named, want %d and %v", when, gotLogged, status, gotOthers, logged, others)
			}
		}
		for range 1000 {
			recvServe(rc, httptest.NewRequest("POST", "/", nil))
		}
		recvServe(rc, httptest.NewRequest("PUT", "/", nil))
		want("in the first minute", 401, 10, 0)
		want("in the first minute", 405, 1, 0)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		want("after the first minute", 401, 10, 990)

		// A flood that goes on: the next line names the others.
		for range 120 {
			recvServe(rc, httptest.NewRequest("POST", "/", nil))
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		want("after the second flood", 401, 30, 990+100)
		want("after the second flood", 405, 1, 0)
		if n := len(log.lines(t)); n > 36 {
			t.Errorf("%d lines, want a few more than one for each logged refusal", n)
		}
	})
}

// Strangers can send bodies that never arrive. That must not hide that the program's own
// lookup fails, which has the same status.
func TestAFloodOfSlowBodiesDoesNotHideAFailedLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("database is down")
		rc := webhook.NewReceiver(webhook.Source{Name: "acme", Verifier: &webhook.HMAC{
			Header: "X-Signature",
			KeysFor: func(r *http.Request) ([]webhook.Key, error) {
				if r.Header.Get("X-Tenant") == "real" {
					return nil, down
				}
				return webhook.Keys(webhook.NewSecret("s3cret")), nil
			},
		}}, recvOK)
		var log *recvLog
		rc.Logger, log = recvLogger()
		call := func(tenant string, body io.Reader) {
			r := httptest.NewRequest("POST", "/", body)
			r.Header.Set("X-Signature", strings.Repeat("0", 64))
			r.Header.Set("X-Tenant", tenant)
			if got := recvServe(rc, r).Code; got != http.StatusServiceUnavailable {
				t.Errorf("%s is answered %d, want 503", tenant, got)
			}
		}
		for range 100 {
			call("stranger", iotest.ErrReader(os.ErrDeadlineExceeded))
		}
		call("real", strings.NewReader("{}"))
		var lookups, all int
		for _, line := range log.lines(t) {
			all++
			if text, _ := line["reason"].(string); strings.Contains(text, down.Error()) {
				lookups++
			}
		}
		if lookups != 1 || all != 11 {
			t.Errorf("%d of %d lines are about the lookup, want 1 of 11", lookups, all)
		}
		time.Sleep(time.Hour) // the number of the others is logged
	})
}

// A delivery that was not handled is logged each time: the log is what is left of it.
func TestEachAuthenticDeliveryThatFailsIsLogged(t *testing.T) {
	src := recvSource()
	rc := webhook.NewReceiver(src, recvFails(io.EOF))
	var log *recvLog
	rc.Logger, log = recvLogger()
	for i := range 50 {
		recvServe(rc, recvRequest(t, src, fmt.Sprint(i)))
	}
	if n := len(log.lines(t)); n != 50 {
		t.Errorf("%d lines, want 50", n)
	}
}

func TestARefusalIsLoggedWithTheClientBehindTheProxy(t *testing.T) {
	for _, tt := range []struct {
		name         string
		clientIP     func(*http.Request) (netip.Addr, error)
		client, peer any
	}{
		{"no proxy", nil, "10.0.0.1:80", nil},
		{"a proxy", webhook.ClientIPBehind(netip.MustParsePrefix("10.0.0.0/8")), "203.0.113.7", "10.0.0.1:80"},
		{"an error", func(*http.Request) (netip.Addr, error) { return netip.Addr{}, io.EOF }, "unknown: EOF", "10.0.0.1:80"},
		{"a panic", func(*http.Request) (netip.Addr, error) { panic("ouch") }, "unknown: ClientIP panicked: ouch", "10.0.0.1:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, recvFails(io.EOF))
			rc.ClientIP = tt.clientIP
			var log *recvLog
			rc.Logger, log = recvLogger()
			for _, r := range []*http.Request{httptest.NewRequest("POST", "/", nil), recvRequest(t, src, "{}")} {
				r.RemoteAddr = "10.0.0.1:80"
				r.Header.Set("X-Forwarded-For", "203.0.113.7")
				recvServe(rc, r)
			}
			var got [][2]any
			for _, line := range log.lines(t) {
				got = append(got, [2]any{line["client"], line["peer"]})
			}
			want := [][2]any{{tt.client, tt.peer}, {tt.client, tt.peer}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("client and peer (-want +got):\n%s", diff)
			}
		})
	}
}

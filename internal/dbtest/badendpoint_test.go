package dbtest

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A badEndpoint is a server on a real socket, and what must be recorded of it.
type badEndpoint struct {
	start  func(t *testing.T) (url string)
	change func(e *publish.Endpoint) // nil: it receives the small event
	result publish.Result
	reason string        // a part of it
	asked  time.Duration // the wait before the next attempt, at least; zero: that of the schedule
}

const (
	largePayload = 25_000_000
	head100MB    = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
)

func large(e *publish.Endpoint) { e.Events = []string{"large"} }

var badEndpoints = map[string]badEndpoint{
	"hangs":           {start: raw("http", untilClosed), result: publish.Failed, reason: "no answer in time"},
	"hangs-with-25MB": {start: raw("http", func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); drip(c) }), change: large, result: publish.Failed, reason: "no answer in time"},
	"drips-header":    {start: raw("http", func(c net.Conn) { readRequest(c); drip(c) }), result: publish.Failed, reason: "no answer in time"},
	"drips-body":      {start: raw("http", func(c net.Conn) { readRequest(c); say(c, head100MB); drip(c) }), result: publish.Delivered},
	"resets": {start: raw("http", func(c net.Conn) {
		readRequest(c)
		_ = c.(*net.TCPConn).SetLinger(0)
	}), result: publish.Failed, reason: "connection reset"},
	"resets-in-the-body": {start: raw("http", func(c net.Conn) {
		readRequest(c)
		say(c, head100MB+"beginning")
		_ = c.(*net.TCPConn).SetLinger(0)
	}), result: publish.Delivered},
	"closes":  {start: raw("http", func(net.Conn) {}), result: publish.Failed, reason: ""},
	"garbage": {start: raw("http", func(c net.Conn) { readRequest(c); say(c, "\x00\xff\x01 garbage\r\n\r\n") }), result: publish.Failed, reason: "malformed"},
	"garbage-as-body": {start: answering(nil, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		_, _ = w.Write([]byte("\x00\xff\xfe\x00"))
	}), result: publish.Failed, reason: "status 500"},
	"garbage-as-header": {start: raw("http", func(c net.Conn) {
		readRequest(c)
		say(c, "HTTP/1.1 503 \xff\x00\r\nRetry-After: \xff\r\nX: \xff\r\nContent-Length: 0\r\n\r\n")
	}), result: publish.Failed, reason: ""},
	"100MB-of-body": {start: raw("http", func(c net.Conn) {
		readRequest(c)
		say(c, head100MB)
		for megabyte := strings.Repeat("x", 1<<20); say(c, megabyte); {
		}
	}), result: publish.Delivered},
	"1MB-of-headers":      {start: answering(nil, header(200, "X-Large", strings.Repeat("x", 1<<20))), result: publish.Failed, reason: "exceeded"},
	"no-TLS":              {start: raw("https", func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); say(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), result: publish.Failed, reason: "tls: first record"},
	"untrusted":           {start: answering(&tls.Config{}, ok), result: publish.Failed, reason: "certificate"},
	"old-TLS":             {start: answering(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, ok), change: func(e *publish.Endpoint) { e.InsecureSkipVerify = true }, result: publish.Failed, reason: "protocol version"},
	"untrusted-allowed":   {start: answering(&tls.Config{}, ok), change: func(e *publish.Endpoint) { e.InsecureSkipVerify = true }, result: publish.Delivered},
	"waits-a-year":        {start: answering(nil, header(503, "Retry-After", "31536000")), result: publish.Failed, reason: "status 503", asked: 24 * time.Hour},
	"waits-negative":      {start: answering(nil, header(503, "Retry-After", "-5")), result: publish.Failed, reason: "status 503"},
	"redirects-to-itself": {start: answering(nil, header(307, "Location", "/")), result: publish.Failed, reason: "redirects are not followed"},
	"redirects-inside":    {start: answering(nil, header(302, "Location", "http://169.254.169.254/latest")), result: publish.Failed, reason: "redirects are not followed"},
}

// wantRecorded checks the only attempt at an endpoint.
func (b badEndpoint) wantRecorded(t *testing.T, name string, a publish.Attempt) {
	t.Helper()
	if a.Result != b.result || !strings.Contains(a.Reason, b.reason) || a.Number != 1 || len(a.Response) > 1<<10 {
		t.Errorf("%s: attempt %+v, want the first one, %s for %q", name, a, b.result, b.reason)
	}
	next := a.Next.Sub(a.At)
	switch {
	case b.result == publish.Delivered:
		if !a.Next.IsZero() {
			t.Errorf("%s: it is delivered, and the next attempt is in %v", name, next)
		}
	case next < max(b.asked, time.Hour) || b.asked == 0 && next > 2*time.Hour || next > 30*time.Hour:
		t.Errorf("%s: the next attempt is in %v", name, next)
	}
}

// Whatever an endpoint does over a real connection: there is one recorded attempt, the event
// waits or is done, and no goroutine is left.
func TestWhateverAnEndpointDoesIsARecordedAttempt(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			must(t, db.PingContext(t.Context()))
			before := goroutines()
			t.Run("endpoints", func(t *testing.T) {
				p := publisher(t, in, nil)
				p.Transport, p.Timeout, p.MaxPayload = nil, 6*time.Second, largePayload
				p.Schedule = []time.Duration{time.Hour}
				p.Guard = &addrguard.Guard{InsecureHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
				for name, b := range badEndpoints {
					c := publish.Endpoint{ID: name, URL: b.start(t), Events: []string{"small"}}
					if b.change != nil {
						b.change(&c)
					}
					_, err := p.Create(t.Context(), c)
					must(t, err)
				}
				var digests sync.Map
				takes := answering(nil, func(_ http.ResponseWriter, r *http.Request) {
					digest := sha256.New()
					n, err := io.Copy(digest, r.Body)
					digests.Store(fmt.Sprintf("%d bytes, %v, %x", n, err, digest.Sum(nil)), true)
				})(t)
				_, err := p.Create(t.Context(), publish.Endpoint{ID: "takes-25MB", URL: takes, Events: []string{"large"}})
				must(t, err)
				startPublisher(t, p)
				payload := strings.Repeat("0123456789", largePayload/10)
				for typ, payload := range map[string]any{"small": "small", "large": payload} {
					_, err := p.Publish(t.Context(), publish.Event{Type: typ, Payload: payload})
					must(t, err)
				}
				must(t, wait.Until(t.Context(), "each has an attempt, and nothing is under way", func() bool {
					claimed := 0
					for _, err := range in.All(t.Context(), webhook.Filter{States: []webhook.State{webhook.Claimed}}) {
						must(t, err)
						claimed++
					}
					return claimed == 0 && attemptsOf(t, p, "") == len(badEndpoints)+1
				}))
				for a, err := range p.Attempts(t.Context(), publish.AttemptFilter{}) {
					must(t, err)
					if a.Endpoint != "takes-25MB" {
						badEndpoints[a.Endpoint].wantRecorded(t, a.Endpoint, a)
					}
				}
				if want := fmt.Sprintf("%d bytes, <nil>, %x", largePayload, sha256.Sum256([]byte(payload))); !has(&digests, want) {
					t.Error("25 MB have not arrived byte for byte")
				}
				wantWaiting(t, in)
			})
			noneLeft(t, before)
		})
	}
}

func has(m *sync.Map, key string) bool {
	_, ok := m.Load(key)
	return ok
}

// wantWaiting checks that the deliveries to the endpoints that have failed wait, and that all
// others are done.
func wantWaiting(t *testing.T, in webhook.Admin) {
	t.Helper()
	states := make(map[webhook.State]int)
	for r, err := range in.All(t.Context(), webhook.Filter{}) {
		must(t, err)
		states[r.State]++
	}
	failing := 0
	for _, b := range badEndpoints {
		if b.result == publish.Failed {
			failing++
		}
	}
	if done := len(badEndpoints) - failing + 3; states[webhook.Waiting] != failing || states[webhook.Done] != done {
		t.Errorf("deliveries %v, want %d waiting, and with the two events %d done", states, failing, done)
	}
}

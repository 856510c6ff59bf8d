package forward_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/hookhouse/forward"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// TestATargetThatRefuses: what it refuses is reported, and does not hold back what follows.
func TestATargetThatRefuses(t *testing.T) {
	s := newStaging(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers("another secret", got))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.putAll(t, numbers(1, 2))
	for _, key := range numbers(1, 2) {
		if e := r.next(t); e.Status != http.StatusUnauthorized || e.OK() || e.Delivery.OrderingKey != key || e.Sender != "github" {
			t.Errorf("%+v", e)
		}
	}
	if got.Count() > 0 {
		t.Errorf("%d arrived", got.Count())
	}
}

// TestATargetThatChangesTheProtocol: its answer has no body, and no context ends a read of
// the connection.
func TestATargetThatChangesTheProtocol(t *testing.T) {
	s := newStaging(t)
	var here host
	here.up(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
		_, _ = conn.Read(make([]byte, 1)) // until the client has gone
	}))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.putAll(t, numbers(1, 2))
	for _, key := range numbers(1, 2) {
		if e := r.next(t); e.Status != http.StatusSwitchingProtocols || e.OK() || e.Delivery.OrderingKey != key {
			t.Errorf("%+v", e)
		}
	}
}

// TestASlowTarget: it has Timeout for each of a few tries. Then what follows has its turn.
func TestASlowTarget(t *testing.T) {
	s := newStaging(t)
	end := make(chan struct{})
	calls := make(chan string, 100)
	var here host
	here.up(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls <- r.Header.Get("X-Github-Delivery")
		if r.Header.Get("X-Github-Delivery") == "guid-slow" {
			select {
			case <-end:
			case <-r.Context().Done():
			}
		}
	}))
	defer close(end)
	f := s.forwarder(t, here.addr)
	f.Filter.From, f.Timeout = longAgo, time.Second
	r := start(t, f)
	s.put(t, "slow")
	s.put(t, "next")
	if e := r.next(t); e.Err == nil || e.Err.Error() != "no answer in time" || e.Delivery.OrderingKey != "slow" {
		t.Errorf("%+v", e)
	}
	if e := r.next(t); e.Status != http.StatusOK || e.Delivery.OrderingKey != "next" {
		t.Errorf("%+v", e)
	}
	if n := len(calls); n != 5 {
		t.Errorf("%d calls, want 4 and 1", n)
	}
	if !strings.Contains(r.noted(), "no answer in time; trying again") {
		t.Errorf("notes: %s", r.noted())
	}
}

// TestABusyTarget: it says that it is, and takes the delivery later.
func TestABusyTarget(t *testing.T) {
	s := newStaging(t)
	calls := 0
	var here host
	here.up(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.put(t, "1")
	if e := r.next(t); e.Status != http.StatusOK {
		t.Errorf("%+v", e)
	}
	if notes := r.noted(); strings.Count(notes, "503 Service Unavailable; trying again") != 1 {
		t.Errorf("notes: %s", notes)
	}
}

// TestWhatIsNotSent: the cause is reported, and what follows is sent.
func TestWhatIsNotSent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *webhook.Delivery, f *forward.Forwarder)
		cause  string
	}{
		{"an unknown sender", func(d *webhook.Delivery, _ *forward.Forwarder) { d.Source = "gitlab" }, `the sender of the source "gitlab" is not known; -as says`},
		{"no target", func(_ *webhook.Delivery, f *forward.Forwarder) { delete(f.Targets, "github") }, "there is no target for github"},
		{"no secret", func(_ *webhook.Delivery, f *forward.Forwarder) {
			f.Targets["github"] = forward.Target{Lacks: "there is no secret of github"}
		}, "there is no secret of github"},
		{"an event that is not known", func(d *webhook.Delivery, _ *forward.Forwarder) { d.Type = "github.unknown" }, `the header X-GitHub-Event, and the type "github.unknown" does not say it either`},
		{"no id", func(d *webhook.Delivery, _ *forward.Forwarder) { d.ID = "" }, "the header X-GitHub-Delivery, and there is no id either"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStaging(t)
			got := new(webhooktest.Recorder)
			var here host
			here.up(t, receivers(localSecret, got))
			f := s.forwarder(t, here.addr)
			f.Filter.From = longAgo
			d := webhook.NewDelivery("github", "github.push", "first", []byte("{}"))
			d.ID = "guid"
			tt.change(d, f)
			r := start(t, f)
			if err := s.inbox.Put(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if e := r.next(t); !strings.Contains(e.Dropped, tt.cause) || e.Sender != "" || e.OK() {
				t.Errorf("%+v", e)
			}
			f2 := webhook.NewDelivery("dockerhub", "dockerhub.push", "next", webhooktest.DockerHubPush())
			if err := s.inbox.Put(t.Context(), f2); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"next"}, r.keys(t, 1)); d != "" || got.Count() != 1 {
				t.Errorf("%d arrived; -want +got\n%s", got.Count(), d)
			}
		})
	}
}

// TestABinOfAnySource: -as, or the headers, say which sender it is. What the service does not
// show is derived, or not sent if it is not needed.
func TestABinOfAnySource(t *testing.T) {
	for _, tt := range []struct {
		name   string
		as     string
		header http.Header
		body   string
		id     string
		want   identity
	}{
		{"by a header of GitHub", "", http.Header{"X-Github-Event": {"push"}, "X-Github-Delivery": {"g"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"192.0.2.1"}}, "{}", "", identity{ID: "g", Type: "github.push"}},
		{"by a header of JobServ", "", http.Header{"X-Jobserv-Sig": {"sha256:00"}}, string(webhooktest.JobServBuild()), "", identity{Type: "jobserv.build"}},
		{"by -as", "dockerhub", nil, string(webhooktest.DockerHubPush()), "", identity{Type: "dockerhub.push"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStaging(t)
			got := new(webhooktest.Recorder)
			var here host
			here.up(t, receivers(localSecret, got))
			f := s.forwarder(t, here.addr)
			f.Filter.From, f.As = longAgo, tt.as
			r := start(t, f)
			d := webhook.NewDelivery("bin", "bin.post", "", []byte(tt.body))
			d.ID, d.Header = tt.id, tt.header
			if err := s.inbox.Put(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if e := r.next(t); e.Status != http.StatusAccepted {
				t.Fatalf("%+v", e)
			}
			arrived := got.Deliveries()[0]
			if d := cmp.Diff(tt.want, identity{ID: arrived.ID, Type: arrived.Type}); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			for _, name := range []string{"Cookie", "X-Forwarded-For"} {
				if len(arrived.Header[name]) > 0 {
					t.Errorf("%s is sent here", name)
				}
			}
		})
	}
}

// TestRemoteTargets: only with AllowRemote is a target elsewhere called.
func TestRemoteTargets(t *testing.T) {
	for target, near := range map[string]bool{
		"http://127.0.0.1:8080/x": true, "http://[::1]/": true, "https://10.1.2.3/": true, "http://192.168.0.9:1/": true, "http://localhost/": true,
		"http://[fd00::1]/": true, "http://[::ffff:127.0.0.1]/": true, "http://0.0.0.0:80/": true,
		"http://192.0.2.1/": false, "http://[2001:db8::1]/": false, "http://169.254.169.254/": false, "http://8.8.8.8:80/x": false,
	} {
		if err := forward.Check(target, false); (err == nil) != near {
			t.Errorf("%s: %v", target, err)
		}
		if err := forward.Check(target, true); err != nil {
			t.Errorf("%s with AllowRemote: %v", target, err)
		}
	}
	// A name is judged by the addresses that it has.
	s := newStaging(t)
	f := s.forwarder(t, "192.0.2.1")
	f.Filter.From = longAgo
	r := start(t, f)
	s.put(t, "1")
	eventually(t, "Run ends", r.ended.Load)
	if err := r.stop(); !errors.Is(err, forward.ErrRemote) || len(r.events) > 0 {
		t.Errorf("%v, %d events", err, len(r.events))
	}
	for _, target := range []string{"", "x", "ftp://127.0.0.1/", "http:///token-of-x", "http://127.0.0.1/#token-of-x", "http://127.0.0.1:port/token-of-x"} {
		if err := forward.Check(target, true); err == nil || strings.Contains(err.Error(), "token-of-x") {
			t.Errorf("%q: %v", target, err)
		}
	}
}

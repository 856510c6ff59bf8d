package forward_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/hookhouse/forward"
	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	stagingSecret = "d6b1-the-secret-of-staging"
	localSecret   = "0a7c-the-secret-on-this-machine"
	password      = "2f9e-the-password-of-ops"
)

// receivers returns the handler of a service that takes the calls of all senders.
func receivers(text string, h webhook.Handler) *http.ServeMux {
	secret := webhook.NewSecret(text)
	mux := new(http.ServeMux)
	mux.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), h))
	mux.Handle("/hooks/jobserv", webhook.NewReceiver(jobserv.Source(secret), h))
	mux.Handle("/hooks/dockerhub/{token}", webhook.NewReceiver(dockerhub.Source(secret), h))
	mux.Handle("/hooks/kudu/{token}", webhook.NewReceiver(kudu.Source(secret), h))
	mux.Handle("/basic/kudu", webhook.NewReceiver(kudu.BasicSource(secret), h))
	return mux
}

// A host serves a handler at one address, also after it was away.
type host struct {
	addr   string
	server *http.Server
}

// up serves h, at the same address as before.
func (s *host) up(t *testing.T, h http.Handler) {
	t.Helper()
	if s.addr == "" {
		s.addr = "127.0.0.1:0"
	}
	var l net.Listener
	eventually(t, "the address is free", func() bool {
		var err error
		l, err = net.Listen("tcp", s.addr)
		return err == nil
	})
	s.addr, s.server = l.Addr().String(), &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go s.server.Serve(l)
	t.Cleanup(s.down)
}

// down ends it, with all connections.
func (s *host) down() { _ = s.server.Close() }

// A staging is a service with an inspector.
type staging struct {
	host
	inbox  *webhook.MemInbox
	store  inspect.Store // what the inspector shows; if nil, the inbox
	redact []string
}

func newStaging(t *testing.T) *staging {
	s := &staging{inbox: &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}}
	s.start(t)
	return s
}

// start serves the inbox.
func (s *staging) start(t *testing.T) {
	t.Helper()
	mux := receivers(stagingSecret, webhook.Store(s.inbox))
	var store inspect.Store = s.inbox
	if s.store != nil {
		store = s.store
	}
	in, err := inspect.New(store, inspect.BasicAuth(map[string]webhook.Secret{"ops": webhook.NewSecret(password)}))
	if err != nil {
		t.Fatal(err)
	}
	in.Redact, in.Logger = s.redact, slog.New(slog.DiscardHandler)
	mux.Handle("/debug/hooks/", in)
	s.up(t, mux)
}

// put stores a push that arrives now, as staging stores it.
func (s *staging) put(t *testing.T, key string) string {
	t.Helper()
	d := webhook.NewDelivery("github", "github.push", key, []byte(`{"key":"`+key+`"}`))
	d.ID = "guid-" + key
	if err := s.inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d.UID
}

// A run is a Forwarder that runs.
type run struct {
	events chan forward.Event
	stop   func() error
	ended  atomic.Bool

	mu    sync.Mutex
	notes []string
}

// forwarder returns one that takes from staging and sends to the host.
func (s *staging) forwarder(t *testing.T, to string) *forward.Forwarder {
	t.Helper()
	c, err := service.New("http://"+s.addr+"/debug/hooks/", "ops", webhook.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	secret := webhook.NewSecret(localSecret)
	return &forward.Forwarder{Service: c, Timeout: 10 * time.Second, Targets: map[string]forward.Target{
		"github":    {URL: "http://" + to + "/hooks/github", Secret: secret},
		"jobserv":   {URL: "http://" + to + "/hooks/jobserv", Secret: secret},
		"dockerhub": {URL: "http://" + to + "/hooks/dockerhub/" + localSecret},
		"kudu":      {URL: "http://" + to + "/hooks/kudu/" + localSecret},
	}}
}

// start runs a Forwarder until the test ends or stop is called.
func start(t *testing.T, f *forward.Forwarder) *run {
	t.Helper()
	r := &run{events: make(chan forward.Event, 10_000)}
	f.Report = func(e forward.Event) error { r.events <- e; return nil }
	f.Note = func(text string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notes = append(r.notes, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := f.Run(ctx)
		r.ended.Store(true)
		ended <- err
	}()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// next waits for an event.
func (r *run) next(t *testing.T) forward.Event {
	t.Helper()
	select {
	case e := <-r.events:
		return e
	case <-time.After(time.Minute):
		t.Fatalf("nothing was forwarded; notes: %q", r.noted())
		return forward.Event{}
	}
}

func (r *run) noted() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.notes, "\n")
}

// keys waits for n events and returns the ordering keys of their deliveries.
func (r *run) keys(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		e := r.next(t)
		if !e.OK() {
			t.Errorf("%s: %d %q %v", e.Delivery.OrderingKey, e.Status, e.Dropped, e.Err)
		}
		all = append(all, e.Delivery.OrderingKey)
	}
	return all
}

// keysOf returns the ordering keys of what arrived here.
func keysOf(got *webhooktest.Recorder) (all []string) {
	for _, d := range got.Deliveries() {
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(string(d.Body), `{"key":"`), `"}`))
	}
	return all
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it does not hold: %s", what)
		}
	}
}

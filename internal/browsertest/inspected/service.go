// Package inspected runs a service with an inspector in this process: receivers of the four
// senders, an inbox, a worker, and the pages over it.
package inspected

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// mount is where the inspector is.
const mount = "/debug/hooks"

// Secret is the secret and the token of every sender.
var Secret = webhook.NewSecret("a-secret-of-tests-with-40-characters-and")

// quiet is the logger of all parts.
var quiet = slog.New(slog.DiscardHandler)

// An Inbox is what a Service needs of one.
type Inbox interface {
	webhook.Inbox
	webhook.Admin
}

// A Service is a service that runs. Its methods are safe for concurrent use.
type Service struct {
	// URL is that of the inspector, without the slash at its end.
	URL string
	// Inbox has the deliveries.
	Inbox Inbox
	// Streams are the live lists that are connected.
	Streams Streams

	base    string // the URL of the server
	protect inspect.Protect
	written atomic.Int64
	stop    context.CancelFunc
	ended   chan error

	mu        sync.Mutex
	callback  webhook.HandlerFunc
	mounted   []receiver
	inspector *inspect.Inspector
	mux       *http.ServeMux
}

// A receiver is a route of a sender.
type receiver struct {
	pattern string
	source  webhook.Source
	front   func(http.Handler) http.Handler // what is in front of it; nil: nothing
}

// Start starts a service. Close ends it; the inbox remains open.
func Start(inbox Inbox, protect inspect.Protect) (*Service, error) {
	hub := dockerhub.Source(Secret)
	hub.Coalesce = webhook.Coalesce{} // the samples are no burst
	s := &Service{Inbox: inbox, protect: protect, ended: make(chan error, 1), mounted: []receiver{
		{"/hooks/github", github.Source(Secret), nil},
		{"/hooks/jobserv", jobserv.Source(Secret), nil},
		{"/hooks/dockerhub/{token}", hub, nil},
		{"/hooks/kudu/{token}", kudu.Source(Secret), nil},
	}}
	if err := s.Renew(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.base = "http://" + listener.Addr().String()
	s.URL = s.base + mount

	worker := webhook.NewWorker(inbox, webhook.HandlerFunc(s.handle))
	worker.Name, worker.Logger = "worker 1", quiet
	worker.PollInterval = 50 * time.Millisecond
	worker.Retry = webhook.Backoff{First: time.Hour} // so that a delivery waits until it is released
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current().ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	server.RegisterOnShutdown(func() {
		s.Streams.Allow()
		s.Refuse()
	})
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.ended <- webhook.Serve(ctx, server, &countedListener{listener, &s.written}, worker) }()
	return s, nil
}

// Close ends the service and returns why it ended before.
func (s *Service) Close() error {
	s.stop()
	return <-s.ended
}

// Renew puts a new inspector in the place of the one before, as a restart does.
func (s *Service) Renew() error {
	in, err := inspect.New(s.Inbox, s.protect)
	if err != nil {
		return err
	}
	in.Logger = quiet
	in.Send = &inspect.Send{Hosts: []string{"127.0.0.1"}, Guard: addrguard.Guard{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, InsecureHTTP: true,
	}}
	for _, sender := range []string{"github", "jobserv", "dockerhub", "kudu"} {
		in.Send.Keys = append(in.Send.Keys, inspect.TestKey{Name: "staging " + sender, Sender: sender, Secret: Secret})
	}
	in.Summarize = func(d *webhook.Delivery) string {
		return cmp.Or(github.Summary(d), dockerhub.Summary(d), jobserv.Summary(d), kudu.Summary(d))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inspector, s.mux = in, http.NewServeMux()
	s.mux.Handle(mount+"/", s.Streams.watch(in))
	for _, r := range s.mounted {
		s.serve(r)
	}
	return nil
}

// Mount adds a receiver, with what is in front of it. Its pattern has no wildcard. It returns
// its URL.
func (s *Service) Mount(pattern string, source webhook.Source, front func(http.Handler) http.Handler) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := receiver{pattern, source, front}
	s.mounted = append(s.mounted, r)
	s.serve(r)
	return s.base + pattern
}

// serve adds a receiver to the mux. The caller holds mu.
func (s *Service) serve(r receiver) {
	stores := webhook.NewReceiver(r.source, webhook.Store(s.Inbox))
	stores.Logger = quiet
	h := s.inspector.Watch(r.source, stores)
	if r.front != nil {
		h = r.front(h)
	}
	s.mux.Handle(r.pattern, h)
}

func (s *Service) current() *http.ServeMux {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mux
}

// Refuse makes the inspector refuse live lists until Renew.
func (s *Service) Refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inspector.Close()
}

// Written returns how many bytes the server has written to its connections.
func (s *Service) Written() int64 { return s.written.Load() }

// Callback sets what the callbacks of deliveries do. If nil, they succeed.
func (s *Service) Callback(f webhook.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = f
}

func (s *Service) handle(ctx context.Context, d *webhook.Delivery) error {
	s.mu.Lock()
	f := s.callback
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx, d)
}

// errNotAccepted is the error of a call that the service did not accept.
var errNotAccepted = errors.New("the call was not accepted")

// refused returns an error if a sender does not count its call as delivered.
func refused(sender string, delivered bool, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", sender, err)
	case !delivered:
		return fmt.Errorf("%s: %w", sender, errNotAccepted)
	}
	return nil
}

// Hook returns the URL of the receiver of a sender, with its token if it has one in the path.
func (s *Service) Hook(sender string) string {
	switch sender {
	case "dockerhub", "kudu":
		return s.base + "/hooks/" + sender + "/" + string(Secret.Reveal())
	}
	return s.base + "/hooks/" + sender
}

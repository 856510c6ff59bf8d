package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A service is the parts of this process.
type service struct {
	*settings
	log     *slog.Logger
	out     *printer
	metrics *prom.Metrics

	runners    []webhook.Runner
	workers    []*webhook.Worker
	collectors []prometheus.Collector
	pings      []func(ctx context.Context) error // of what the parts cannot work without
	closers    []func()                          // called in the reverse order
	inspector  *inspect.Inspector
	public     *http.ServeMux // of an edge
	listener   net.Listener   // of an edge
}

func newService(s *settings, stdout io.Writer, log *slog.Logger) *service {
	metrics := prom.New()
	return &service{
		settings: s, log: log, out: &printer{w: stdout}, public: http.NewServeMux(),
		metrics: metrics, collectors: []prometheus.Collector{metrics},
	}
}

// open connects the parts with their databases and with RabbitMQ, and listens.
func (s *service) open(ctx context.Context) error {
	if s.edge || s.relay {
		if err := s.broker.refused(ctx, s.log); err != nil {
			return err
		}
	}
	if s.relay || s.work {
		if err := s.openDatabase(ctx); err != nil {
			return &explained{databaseName, "", err}
		}
	}
	if s.edge {
		if err := s.openEdge(ctx); err != nil {
			return err
		}
	}
	private := http.NewServeMux()
	if s.adminAddr == "" {
		private = s.public
	}
	private.Handle("GET /healthz", webhook.HealthHandler(probe{pings: s.pings}, s.workers...))
	if s.adminAddr != "" {
		private.Handle("GET /metrics", prom.Handler(s.collectors...))
	}
	admin, err := listenAdmin(s.adminAddr, private, s.inspector, s.log)
	if err != nil {
		return err
	}
	if admin != nil {
		s.runners = append(s.runners, admin)
	}
	if !s.edge {
		return nil
	}
	s.public.Handle("/", &wrongPath{log: s.log})
	s.listener, err = net.Listen("tcp", s.addr)
	return err
}

// run runs the parts until ctx is done or one of them fails.
func (s *service) run(ctx context.Context) error {
	s.log.Info("started", "edge", s.edge, "relay", s.relay, "work", s.work)
	if s.edge {
		s.log.Info("listening", "url", "http://"+s.listener.Addr().String())
		return webhook.Serve(ctx, newServer(s.public, s.log), s.listener, s.runners...)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range s.runners {
		group.Go(func() error { return r.Run(ctx) })
	}
	return group.Wait()
}

// close closes what open has opened. Call it when run has returned.
func (s *service) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// use makes the service depend on an inbox, whose metrics have its name. The inspector shows
// the first: PostgreSQL, or the local inbox of an edge alone.
func (s *service) use(name string, inbox *store) error {
	s.closers = append(s.closers, inbox.close)
	s.pings = append(s.pings, inbox.Ping)
	stats := prometheus.WrapCollectorWith(prometheus.Labels{"inbox": name}, s.metrics.Stats(inbox))
	s.collectors = append(s.collectors, stats)
	if s.inspector != nil {
		return nil
	}
	var err error
	s.inspector, err = inspect.New(inbox, s.guard.protect)
	return err
}

// A probe is what HealthHandler asks: each inbox and each connection that the parts need.
type probe struct {
	webhook.Inbox // nil: only Ping is called
	pings         []func(ctx context.Context) error
}

func (p probe) Ping(ctx context.Context) error {
	errs := make([]error, len(p.pings))
	var group errgroup.Group
	for i, ping := range p.pings {
		group.Go(func() error {
			errs[i] = ping(ctx)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	return errors.Join(errs...)
}

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Service is a server and Runners that begin and end together, with the settings that
// [Serve] has no arguments for. Set the fields before Run. A Service must not be copied.
//
// Behind a load balancer, set ShutdownDelay and let its readiness probe ask
// [Service.ReadyHandler]. To serve TLS, set TLS, or make Listener one of tls.NewListener.
type Service struct {
	// Server serves the requests from Listener. Both are required. Run closes Listener.
	Server   *http.Server
	Listener net.Listener
	// Runners are the Workers, Spools and Relays of the service. None may be nil.
	Runners []Runner
	// TLS serves TLS with the certificates of Server.TLSConfig: its Certificates, or its
	// GetCertificate for those that are renewed while the service runs. HTTP/2 is then
	// enabled. Leave TLS false if Listener does TLS already.
	TLS bool
	// ShutdownDelay is how long requests are still accepted when the service is about to
	// end, while ReadyHandler already answers 503. A load balancer that has noticed sends
	// no new ones when the server closes. The Runners work until then. Set it to the time
	// that the probes need to fail, such as the period of the probe times its failure
	// threshold. Zero means none.
	//
	// The context of signal.NotifyContext catches further signals too. To let a second one
	// end the process at once, call its stop func when it has ended, with
	// context.AfterFunc(ctx, stop).
	ShutdownDelay time.Duration
	// ShutdownTimeout is how long requests in progress may take to finish when no new
	// ones are accepted. Those that are not finished are cut off. Zero means 8 s.
	ShutdownTimeout time.Duration

	state atomic.Int32 // a serviceState
}

type serviceState = int32

const (
	serviceNotStarted serviceState = iota
	serviceReady
	serviceEnding
)

// Run serves until ctx ends, a Runner fails, or the caller shuts the server down. It
// returns when everything has ended, with the result that [Serve] describes. It takes at
// most ShutdownDelay, and after that the longer of ShutdownTimeout and what the slowest
// Runner needs, which is [Worker.ShutdownTimeout] and two seconds for a Worker. A
// supervisor must wait longer before it kills the process.
//
// If the server itself has ended, because the listener failed or the caller shut the
// server down, there is no ShutdownDelay. A negative duration, and TLS without a
// certificate, are errors before anything runs. Run panics if a required field is nil or if a
// Runner is. A Service runs once: a second Run returns [ErrRunning].
func (s *Service) Run(ctx context.Context) error {
	if s.Server == nil || s.Listener == nil {
		panic("webhook: a Service needs a Server and a Listener")
	}
	for _, r := range s.Runners {
		if r == nil {
			panic("webhook: a Service was given a nil Runner")
		}
	}
	if err := s.validate(); err != nil {
		_ = s.Listener.Close()
		return err
	}
	if !s.state.CompareAndSwap(serviceNotStarted, serviceReady) {
		return fmt.Errorf("%w: a Service runs once", ErrRunning)
	}
	defer s.state.Store(serviceEnding)
	// ending ends when the service is about to end, closed when the server has ended, and
	// working when the Runners must end.
	ending, end := context.WithCancel(ctx)
	defer end()
	closed, setClosed := context.WithCancel(context.WithoutCancel(ctx))
	defer setClosed()
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var parts errgroup.Group
	for _, r := range s.Runners {
		parts.Go(func() error {
			err := run(working, r)
			if err != nil {
				end()
			}
			return err
		})
	}
	parts.Go(func() error {
		defer setClosed()
		if err := s.serve(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil // if the caller has shut the server down
	})
	parts.Go(func() error {
		select {
		case <-ending.Done():
		case <-closed.Done():
		}
		s.state.Store(serviceEnding)
		s.awaitDelay(closed)
		stopWorking()
		return s.shutdown(context.WithoutCancel(ctx))
	})
	return parts.Wait()
}

// validate refuses settings with which the service would not do what they say.
func (s *Service) validate() error {
	switch {
	case s.TLS && !hasCertificate(s.Server):
		return errors.New("webhook: Service.TLS needs certificates in Server.TLSConfig")
	case s.ShutdownDelay < 0:
		return fmt.Errorf("webhook: Service.ShutdownDelay is %v, which is negative", s.ShutdownDelay)
	case s.ShutdownTimeout < 0:
		return fmt.Errorf("webhook: Service.ShutdownTimeout is %v, which is negative", s.ShutdownTimeout)
	}
	return nil
}

// run runs a Runner. If that ends its goroutine, it has failed.
func run(ctx context.Context, r Runner) error {
	ended := make(chan error, 1)
	go func() {
		err := goexitError()
		defer func() { ended <- err }()
		err = r.Run(ctx)
	}()
	return <-ended
}

// hasCertificate reports whether ServeTLS needs no files.
func hasCertificate(server *http.Server) bool {
	c := server.TLSConfig
	return c != nil && (len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil)
}

func (s *Service) serve() error {
	if s.TLS {
		return s.Server.ServeTLS(s.Listener, "", "")
	}
	return s.Server.Serve(s.Listener)
}

// awaitDelay waits for ShutdownDelay, or until the server has ended.
func (s *Service) awaitDelay(closed context.Context) {
	delay := time.NewTimer(s.ShutdownDelay)
	defer delay.Stop()
	select {
	case <-closed.Done():
	case <-delay.C:
	}
}

// shutdown lets requests in progress finish, for ShutdownTimeout.
func (s *Service) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, positive(s.ShutdownTimeout, serveGrace))
	defer cancel()
	err := s.Server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		_ = s.Server.Close()
		return fmt.Errorf("%w: requests were still in progress", ErrShutdown)
	}
	return err
}

// ReadyHandler returns an http.Handler for the readiness probe of a load balancer. While
// Run accepts requests and is not about to end, it calls next, typically a
// [HealthHandler]; if next is nil, it answers 200. Otherwise it answers 503, with a JSON
// object like that of HealthHandler. Use next itself for a liveness probe: a service
// that is about to end must not be killed for that.
func (s *Service) ReadyHandler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch state := s.state.Load(); {
		case state == serviceNotStarted:
			healthReport{Problems: []string{"service has not started"}}.write(w, http.StatusServiceUnavailable)
		case state == serviceEnding:
			healthReport{Problems: []string{"service is shutting down"}}.write(w, http.StatusServiceUnavailable)
		case next == nil:
			healthReport{OK: true}.write(w, http.StatusOK)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// serveGrace is how long calls under way may take when Serve ends.
const serveGrace = 8 * time.Second

// A Runner works until its context ends, and returns when it has put down what
// it held: a [Worker], a Spool or a Relay of package spool.
type Runner interface {
	Run(ctx context.Context) error
}

// Serve is the life of a service: server answers on l and the runners run, until
// ctx ends, one of them fails, or the caller shuts the server down. Then all of
// them end: no new calls are taken, those under way have 8 s, a Worker drains.
// When Serve returns the last has ended, and what they used may be closed: the
// inbox, then its database.
//
// After an orderly end it returns nil, otherwise the first failure; a Runner that
// returns nil early has merely ended. A Worker that is stuck ends the service so,
// with [ErrStuck]: receivers that go on would take what nobody works on, and the
// callbacks that do not return end with the process only. End it when Serve has
// returned, so that what supervises it starts it anew; [Worker.KeepRunning] is for
// those who want it otherwise. Calls that are not done in time are cut
// off, which their senders see, and the error is [ErrShutdown]. For a response
// without an end of its own, such as a stream of events, see
// [http.Server.RegisterOnShutdown].
//
// Serve closes l. It panics if an argument is nil.
func Serve(ctx context.Context, server *http.Server, l net.Listener, runners ...Runner) error {
	if server == nil || l == nil {
		panic("webhook: Serve needs a server and a listener")
	}
	for _, r := range runners {
		if r == nil {
			panic("webhook: Serve was given a nil Runner")
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	parts, ctx := errgroup.WithContext(ctx)
	for _, r := range runners {
		parts.Go(func() error { return r.Run(ctx) })
	}
	parts.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		stop() // the caller may have shut the server down
		return nil
	})
	parts.Go(func() error {
		<-ctx.Done()
		return shutdown(context.WithoutCancel(ctx), server)
	})
	return parts.Wait()
}

// shutdown lets calls under way finish, for a time.
func shutdown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, serveGrace)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close()
		return fmt.Errorf("%w: calls were still under way", ErrShutdown)
	}
	return err
}

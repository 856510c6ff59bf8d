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

// serveGrace is how long requests in progress may take when Serve ends.
const serveGrace = 8 * time.Second

// A Runner works until its context ends, and returns when it has finished or put back
// what it was working on. [Worker] is one, and so are Spool and Relay of package spool.
type Runner interface {
	Run(ctx context.Context) error
}

// Serve runs a service: it serves requests from l with server, and runs the runners. It
// ends all of them when ctx ends, when one of them fails, or when the caller shuts the
// server down. The server then accepts no new requests, requests in progress have 8 s to
// finish, and Workers drain. When Serve returns, all of them have ended, and the inbox
// and then its database can be closed.
//
// Serve returns nil after an orderly end, otherwise the first error:
//
//   - A Runner that returns nil early has ended, and the others continue.
//   - A Worker that is stuck ends the service with [ErrStuck]: otherwise Receivers would
//     accept deliveries that no Worker handles. Callbacks that do not return end only with
//     the process, so end it when Serve has returned, and let a supervisor restart it. To
//     continue instead, set [Worker.KeepRunning].
//   - Requests that are not finished in time are cut off, which their senders notice, and
//     the error is [ErrShutdown]. To end an endless response, such as an event
//     stream, use [http.Server.RegisterOnShutdown].
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
		stop() // if the caller has shut the server down
		return nil
	})
	parts.Go(func() error {
		<-ctx.Done()
		return shutdown(context.WithoutCancel(ctx), server)
	})
	return parts.Wait()
}

// shutdown lets requests in progress finish, for serveGrace.
func shutdown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, serveGrace)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close()
		return fmt.Errorf("%w: requests were still in progress", ErrShutdown)
	}
	return err
}

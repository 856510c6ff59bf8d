package webhook

import (
	"context"
	"net"
	"net/http"
	"time"
)

// serveGrace is the default of Service.ShutdownTimeout.
const serveGrace = 8 * time.Second

// A Runner works until its context ends, and returns when it has finished or put back
// what it was working on. [Worker] is one, and so are [Service], and Spool and Relay of
// package spool.
type Runner interface {
	Run(ctx context.Context) error
}

// Serve runs a service: it serves requests from l with server, and runs the runners. It
// ends all of them when ctx ends, when one of them fails, or when the caller shuts the
// server down. The server then accepts no new requests, requests in progress have 8 s to
// finish, and Workers finish or put back their claims. When Serve returns, all of them
// have ended, and the inbox and then its database can be closed. For another timeout, a
// delay for load balancers, or TLS use a [Service].
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
	return (&Service{Server: server, Listener: l, Runners: runners}).Run(ctx)
}

package webhook

import (
	"context"
	"log/slog"
	"time"
)

// A Handler handles a delivery. A typed callback is a Handler, and so are a [Mux],
// which routes by type, and the result of [Store], which puts deliveries into an
// inbox. So a callback can run inside the request or behind an inbox without a
// change.
//
// Handle is called concurrently and must not change the delivery. It has no
// ResponseWriter, since it may run an hour after the request: its error is the
// outcome. A nil error is a success. [Permanent], [RetryAfter], [Postpone] and
// [ErrIgnored] select other outcomes. After any other error the delivery is tried again.
// Handle should return when ctx ends.
type Handler interface {
	Handle(ctx context.Context, d *Delivery) error
}

// HandlerFunc is a func as a [Handler]. It is not a [Router], so a [Worker] claims
// every type for it. To put a func around a [Mux] use [Wrap], which keeps the types of
// the Mux.
type HandlerFunc func(ctx context.Context, d *Delivery) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, d *Delivery) error { return f(ctx, d) }

// A Router is a Handler that knows which types it handles. A [Worker] claims only
// those. A Handler that is not a Router receives every type. A wrapper of a Handler
// should forward Types, as [Wrap], [Recover] and [Timeout] do. A Worker logs a warning
// about a Handler that is not a Router, since a func around a [Mux] may have hidden its
// types. A Handler that handles every type on purpose is a Router whose Types returns
// nil, such as a Mux with it as Default.
//
// Types that share an ordering key must be handled by the same Worker: a delivery that
// no Worker claims blocks the younger ones of its ordering key.
type Router interface {
	Handler
	// Types returns the handled types, sorted. Nil means all types.
	Types() []string
}

// warnOfTypes logs that a Worker will never claim anything, because its Handler has no
// types, or that it claims every type although its Handler may handle only some.
func warnOfTypes(log *slog.Logger, h Handler, types []string) {
	switch {
	case types == nil && !knowsTypes(h):
		log.Warn("worker claims every type, since its handler does not list its types: put funcs around a Mux with webhook.Wrap; if it handles every type, set it as Mux.Default")
	case types != nil && len(types) == 0:
		log.Warn("worker claims nothing: its handler has no type registered")
	}
}

// knowsTypes reports whether h, or the Handler that [Wrap] was given, is a Router.
func knowsTypes(h Handler) bool {
	if w, ok := h.(*wrapper); ok {
		return knowsTypes(w.next)
	}
	_, ok := h.(Router)
	return ok
}

// typesOf returns the types that h handles. Nil means all types.
func typesOf(h Handler) []string {
	if r, ok := h.(Router); ok {
		return r.Types()
	}
	return nil
}

// Wrap returns a Handler that calls around with h as next. As a [Router] it handles
// the types of h, whereas a HandlerFunc around a [Mux] would receive every type. Wrap
// panics on a nil argument.
func Wrap(h Handler, around func(ctx context.Context, next Handler, d *Delivery) error) Handler {
	mustHandle("Wrap", h)
	if around == nil {
		panic("webhook: Wrap needs a func")
	}
	return &wrapper{h, around}
}

type wrapper struct {
	next   Handler
	around func(context.Context, Handler, *Delivery) error
}

func (h *wrapper) Types() []string { return typesOf(h.next) }
func (h *wrapper) Volatile() bool  { return isVolatile(h.next) }

func (h *wrapper) Handle(ctx context.Context, d *Delivery) error {
	return h.around(ctx, h.next, d)
}

// Recover returns a Handler that turns a panic of h into a [PanicError]. Receiver and
// Worker do this already: use it if your own code calls a Handler. It panics on a nil
// Handler.
func Recover(h Handler) Handler {
	mustHandle("Recover", h)
	return Wrap(h, handleSafely)
}

// Timeout returns a Handler that ends the context of h after d. It does not stop an h
// that ignores its context. It panics on a nil Handler and on a d that is not positive.
func Timeout(d time.Duration, h Handler) Handler {
	mustHandle("Timeout", h)
	if d <= 0 {
		panic("webhook: Timeout needs a positive duration")
	}
	return Wrap(h, func(ctx context.Context, next Handler, delivery *Delivery) error {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return next.Handle(ctx, delivery)
	})
}

func mustHandle(name string, h Handler) {
	if h == nil {
		panic("webhook: " + name + " needs a handler")
	}
}

// isVolatile reports whether a Handler or an Inbox says that it keeps what it
// acknowledges in memory only.
func isVolatile(v any) bool {
	var panicked error // counts as no
	defer recoverTo(&panicked)
	m, ok := v.(interface{ Volatile() bool })
	return ok && m.Volatile()
}

// callHandler calls h, recovers its panic, and returns its error as toSafe does.
func callHandler(ctx context.Context, h Handler, d *Delivery) (err error) {
	defer recoverTo(&err)
	return toSafe(h.Handle(ctx, d))
}

// handleSafely is callHandler for callers outside this package: it returns the
// error itself, unless one of its methods panicked.
func handleSafely(ctx context.Context, h Handler, d *Delivery) error {
	return original(callHandler(ctx, h, d))
}

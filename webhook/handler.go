package webhook

import (
	"context"
	"fmt"
	"time"
)

// A Handler takes a delivery. It is the one verb of this package: a typed
// callback is a Handler, the [Mux] that routes is one, [Store] is one. So a
// callback runs inside the request, or behind an inbox, unchanged.
//
// Handle is called by many goroutines at once and treats the delivery as
// read-only. It sees no ResponseWriter, since it may run an hour later: the
// outcome is the error. Nil is success; [Permanent], [RetryAfter] and
// [ErrIgnored] say more; any other error is tried again. It stops when ctx ends.
type Handler interface {
	Handle(ctx context.Context, d *Delivery) error
}

// HandlerFunc is a func as a [Handler]. It tells no types, so a [Worker] gives it
// every type: around a [Mux] use [Wrap], which tells those of the Mux.
type HandlerFunc func(ctx context.Context, d *Delivery) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, d *Delivery) error { return f(ctx, d) }

// A Router is a Handler that returns the types that it handles, so that a [Worker]
// claims no others. A Handler that is not a Router gets every type. A wrapper of a
// Handler forwards Types, as [Wrap], [Recover] and [Timeout] do.
//
// Types that share an ordering key must belong to one Worker, since a delivery that no
// Worker claims blocks the younger ones of its ordering key.
type Router interface {
	Handler
	// Types returns the types handled, sorted; nil means all.
	Types() []string
}

// typesOf returns what h handles; nil means all.
func typesOf(h Handler) []string {
	if r, ok := h.(Router); ok {
		return r.Types()
	}
	return nil
}

// A PanicError is what [Recover] makes of a panic, also of one of the methods of
// the error that a Handler returned, such as a typed nil pointer. errors.Is(err, [ErrPanic])
// holds, and no other sentinel, whatever the value: a panic with [ErrDuplicate]
// is no success. Its text has the value but not the stack.
type PanicError struct {
	Value any
	Stack []byte
}

// Error has the value in it, which is the user's own.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

// Is reports whether target is [ErrPanic].
func (e *PanicError) Is(target error) bool { return target == ErrPanic }

// Wrap returns a Handler that calls around, which calls next, which is h. As a
// [Router] it handles what h handles: a HandlerFunc around a [Mux] would claim
// every type. It panics on a nil argument.
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

// Recover turns a panic of h into a [PanicError]. Receiver and Worker do this
// already; use it where a Handler is called by code of your own. It panics on
// a nil Handler.
func Recover(h Handler) Handler {
	mustHandle("Recover", h)
	return Wrap(h, safely)
}

// Timeout ends the context of h after d. A Handler that ignores its context
// runs on: only it can stop itself. It panics on a nil Handler and on a d that
// is not positive.
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

// Store returns the Handler that puts deliveries into an inbox. Its nil means
// stored, to whatever in promises. A duplicate is returned as
// [*DuplicateError], which is success to Receiver and Worker; every other
// failure wraps [ErrNotStored]. It panics on a nil Inbox.
func Store(in Inbox) Handler {
	if in == nil {
		panic("webhook: Store needs an inbox")
	}
	return &store{in, HandlerFunc(in.Put)}
}

type store struct {
	inbox Inbox
	put   Handler
}

func (h *store) Volatile() bool { return isVolatile(h.inbox) }

func (h *store) Handle(ctx context.Context, d *Delivery) error {
	err := safely(ctx, h.put, d)
	if err == nil || isAll(err, ErrDuplicate) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotStored, err)
}

func mustHandle(name string, h Handler) {
	if h == nil {
		panic("webhook: " + name + " needs a handler")
	}
}

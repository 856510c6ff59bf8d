package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// A Mux is a Handler that routes deliveries by type. The zero value is ready.
// Register first, use then: registration is not safe for concurrent use,
// handling is.
//
// A type that nothing is registered for is [ErrNoHandler]. Inside the request the
// sender gets 202 and the Receiver warns, once an hour for each type. A Worker with
// this Mux does not even claim it, so that another may. What nobody claims is kept
// for ever and takes room: where one Worker serves the inbox, set
// IgnoreUnhandled or Default.
type Mux struct {
	// Default handles what nothing is registered for. A Worker then claims every
	// type. Zero means none.
	Default Handler
	// IgnoreUnhandled settles what nothing is registered for as [Ignored]. A Worker
	// then claims every type: not for one of several workers with different types
	// on one inbox. A rolling deploy is two such workers for a while: the old
	// process ignores what only the new one has a callback for. What was ignored
	// is kept like what is done: a replay of that state and type, as package
	// sqlinbox has it, runs it after all. Zero means to leave them for others.
	// Default goes before it.
	IgnoreUnhandled bool
	// Decode is what typed callbacks decode the document with. Zero means
	// json.Unmarshal of encoding/json.
	Decode func(document []byte, v any) error

	handlers map[string]Handler
}

// Route registers h for one type, such as "github.push". It panics on an
// empty type, a nil Handler, and a type that is registered already. Typed
// callbacks are registered with [On].
func (m *Mux) Route(typ string, h Handler) {
	mustHandle("Mux.Route", h)
	if typ == "" {
		panic("webhook: Mux.Route needs a type")
	}
	if _, ok := m.handlers[typ]; ok {
		panic("webhook: a second handler for " + typ)
	}
	if m.handlers == nil {
		m.handlers = make(map[string]Handler)
	}
	m.handlers[typ] = h
}

// warnIfIdle tells of a Worker that will never claim anything: it asks for no
// types.
func warnIfIdle(log *slog.Logger, types []string) {
	if types != nil && len(types) == 0 {
		log.Warn("worker claims nothing: its handler has no type registered")
	}
}

// Types returns the types registered, sorted; nil, which is all, with Default
// or IgnoreUnhandled.
func (m *Mux) Types() []string {
	if m.Default != nil || m.IgnoreUnhandled {
		return nil
	}
	return append([]string{}, slices.Sorted(maps.Keys(m.handlers))...)
}

// Handle hands d to the Handler of its type. It makes the Mux a [Handler].
func (m *Mux) Handle(ctx context.Context, d *Delivery) error {
	h, ok := m.handlers[d.Type]
	switch {
	case ok:
		return h.Handle(ctx, d)
	case m.Default != nil:
		return m.Default.Handle(ctx, d)
	case m.IgnoreUnhandled:
		return fmt.Errorf("%w: type %q", ErrIgnored, d.Type)
	default:
		return fmt.Errorf("%w for type %q", ErrNoHandler, d.Type)
	}
}

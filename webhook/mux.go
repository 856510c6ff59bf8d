package webhook

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// A Mux is a Handler that routes deliveries by type. The zero value is ready to use.
// Handle is safe for concurrent use. Route, [On], [OnType] and [OnForm] must not be called
// concurrently with Handle. Do not copy a Mux after the first of them: copies share the
// registered types.
//
// For a type without a handler, Handle returns [ErrNoHandler]. A Receiver then
// answers 202 and logs a warning, once an hour for each type. A Worker with this Mux
// does not claim the type, so that another Worker can. A delivery that no Worker
// claims stays in the inbox: if only one Worker uses the inbox, set IgnoreUnhandled or
// Default.
type Mux struct {
	// Default handles the types without a handler. If it is not nil, a Worker claims
	// every type.
	Default Handler
	// IgnoreUnhandled settles deliveries of the types without a handler as [Ignored].
	// A Worker then claims every type. Do not set it if several Workers with different
	// types share an inbox. A rolling deploy is such a case for a while: the old
	// process ignores a type that only the new one handles. Ignored deliveries are
	// kept as long as done ones, and a replay of that state and type runs them; see
	// [Admin]. Default takes precedence.
	IgnoreUnhandled bool
	// Decode decodes the document for the callbacks of On and OnType. It must refuse a
	// document that is more than one JSON value. If nil, it is json.Unmarshal of
	// encoding/json.
	Decode func(document []byte, v any) error

	handlers map[string]Handler
}

// Route registers h for one type, such as "github.push". It panics on an empty type, a
// nil Handler, and a type that is already registered. To register a typed callback use
// [On], [OnType] or [OnForm].
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

// Types returns the registered types, sorted. With Default or IgnoreUnhandled it returns
// nil, which means all types.
func (m *Mux) Types() []string {
	if m.Default != nil || m.IgnoreUnhandled {
		return nil
	}
	return append([]string{}, slices.Sorted(maps.Keys(m.handlers))...)
}

// Handle calls the Handler of the type of d.
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

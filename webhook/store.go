package webhook

import (
	"context"
	"fmt"
)

// Store returns a Handler that puts each delivery into an inbox. It returns nil
// when the inbox has stored the delivery, as durably as that inbox promises. For a
// duplicate it returns a [*DuplicateError], which counts as success for a Receiver
// and a Worker. Every other error wraps [ErrNotStored]. Store panics on a nil Inbox.
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

// Types returns nil: an inbox stores every type.
func (h *store) Types() []string { return nil }

// Volatile reports whether the inbox keeps deliveries in memory only.
func (h *store) Volatile() bool { return isVolatile(h.inbox) }

func (h *store) Handle(ctx context.Context, d *Delivery) error {
	err := handleSafely(ctx, h.put, d)
	if err == nil || IsDuplicate(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotStored, err)
}

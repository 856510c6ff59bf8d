package catchuptest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/webhook"
)

// ErrDown is the error of a [FlakyInbox].
var ErrDown = errors.New("the database is down")

// A FlakyInbox fails while one of its switches is set.
type FlakyInbox struct {
	*webhook.MemInbox
	// PutDown, ReadDown and SetDown are those of Put, Cursor and SetCursor.
	PutDown, ReadDown, SetDown atomic.Bool
}

// SetAll sets the switches of Put and Cursor.
func (in *FlakyInbox) SetAll(down bool) {
	in.PutDown.Store(down)
	in.ReadDown.Store(down)
}

// Put fails if PutDown is set.
func (in *FlakyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if in.PutDown.Load() {
		return ErrDown
	}
	return in.MemInbox.Put(ctx, d)
}

// Cursor fails if ReadDown is set.
func (in *FlakyInbox) Cursor(ctx context.Context, name string) (string, error) {
	if in.ReadDown.Load() {
		return "", ErrDown
	}
	return in.MemInbox.Cursor(ctx, name)
}

// SetCursor fails if SetDown is set.
func (in *FlakyInbox) SetCursor(ctx context.Context, name, from, to string) error {
	if in.SetDown.Load() {
		return ErrDown
	}
	return in.MemInbox.SetCursor(ctx, name, from, to)
}

// A BesideInbox makes the call of a delivery while a catch-up puts it.
type BesideInbox struct {
	*webhook.MemInbox
	Call func(d *webhook.Delivery)
}

// Put calls Call at the same time if the delivery was found by a catch-up.
func (in BesideInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned == "" {
		return in.MemInbox.Put(ctx, d)
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		in.Call(d)
	}()
	defer func() { <-called }()
	return in.MemInbox.Put(ctx, d)
}

package sqlinbox

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// An Observer is a set of optional funcs that an Inbox calls when something happens
// in it, for metrics. Receivers and Workers have [webhook.Observer] instead. The Inbox
// calls the funcs in the middle of its work, and concurrently: a func must return
// quickly and must not change its arguments. A panic of a func is recovered and logged
// with slog.Default.
//
// The context is that of the call of a method in which the event happens, such as
// [Inbox.Put] or [Inbox.Sweep]. It may have ended: do not use it to wait for
// something. Batch has none, since a batch is the work of several calls.
type Observer struct {
	// Stored is called when a delivery is committed. The duration took is that of its
	// Put.
	Stored func(ctx context.Context, d *webhook.Delivery, took time.Duration)
	// Duplicate is called when a delivery is not stored because it is a duplicate of
	// known.
	Duplicate func(ctx context.Context, d *webhook.Delivery, known *webhook.DuplicateError)
	// Superseded is called when the Put of a newer delivery of a burst ends the
	// delivery with this UID. For one that is superseded when its claim is settled,
	// webhook.Observer.Settled is called.
	Superseded func(ctx context.Context, uid string, by *webhook.Delivery)
	// Refused is called when the Put of a delivery fails.
	Refused func(ctx context.Context, d *webhook.Delivery, err error)
	// Batch is called when a batch of Puts, or a part of one that has failed, was
	// committed or has failed. It has the number of the Puts and the size of their headers
	// and bodies in bytes. If err is nil, each is committed or a duplicate. A Put that
	// waits for an ordering key does not count, and neither does PutTx.
	Batch func(puts int, bytes int, took time.Duration, err error)
	// Swept is called when n finished deliveries are deleted.
	Swept func(ctx context.Context, n int)
	// Repaired is called when an ordering key had unfinished deliveries, none of which
	// could ever be claimed, and the inbox has made one the next. The cause is a
	// fault, of this package or of the program's own statements.
	Repaired func(ctx context.Context, source, key string)
}

// contain recovers the panic of a func of an Observer.
func contain() {
	if v := recover(); v != nil {
		slog.Error("observer panicked", "reason", v, "stack", string(debug.Stack()))
	}
}

func (o *Observer) put(ctx context.Context, d *webhook.Delivery, err error, took time.Duration) {
	if o == nil {
		return
	}
	defer contain()
	known, isKnown := errors.AsType[*webhook.DuplicateError](err)
	switch {
	case err == nil && o.Stored != nil:
		o.Stored(ctx, d, took)
	case isKnown:
		if o.Duplicate != nil {
			o.Duplicate(ctx, d, known)
		}
	case err != nil && o.Refused != nil:
		o.Refused(ctx, d, err)
	}
}

func (o *Observer) batch(batch []*job, took time.Duration, err error) {
	if o == nil || o.Batch == nil {
		return
	}
	puts, bytes := 0, 0
	for _, j := range batch {
		if j.put != nil && !j.leftOut {
			puts++
			bytes += j.put.size()
		}
	}
	if puts == 0 {
		return
	}
	// It may end its goroutine, which must not be the writer.
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		defer contain()
		o.Batch(puts, bytes, took, err)
	}()
	<-returned
}

func (o *Observer) swept(ctx context.Context, n int) {
	if o != nil && o.Swept != nil && n > 0 {
		defer contain()
		o.Swept(ctx, n)
	}
}

func (o *Observer) repaired(ctx context.Context, source, key string) {
	if o != nil && o.Repaired != nil {
		defer contain()
		o.Repaired(ctx, source, key)
	}
}

func (o *Observer) superseded(ctx context.Context, uids []string, by *webhook.Delivery) {
	if o == nil || o.Superseded == nil {
		return
	}
	defer contain()
	for _, uid := range uids {
		o.Superseded(ctx, uid, by)
	}
}

// observer is the field as the engine reads it, at each event.
func (in *Inbox) observer() *Observer { return in.Observer }

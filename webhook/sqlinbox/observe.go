package sqlinbox

import (
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
type Observer struct {
	// Stored is called when a delivery is committed. The duration took is that of its
	// Put.
	Stored func(d *webhook.Delivery, took time.Duration)
	// Duplicate is called when a delivery is not stored because it is a duplicate of
	// known.
	Duplicate func(d *webhook.Delivery, known *webhook.DuplicateError)
	// Superseded is called when the Put of a newer delivery of a burst ends the
	// delivery with this UID. For one that is superseded when its claim is settled,
	// webhook.Observer.Settled is called.
	Superseded func(uid string, by *webhook.Delivery)
	// Refused is called when the Put of a delivery fails.
	Refused func(d *webhook.Delivery, err error)
	// Batch is called when a batch of Puts, or a part of one that has failed, was
	// committed or has failed. It has the number of the Puts and the size of their headers
	// and bodies in bytes. If err is nil, each is committed or a duplicate. A Put that
	// waits for an ordering key does not count, and neither does PutTx.
	Batch func(puts int, bytes int, took time.Duration, err error)
	// Swept is called when n finished deliveries are deleted.
	Swept func(n int)
	// Repaired is called when an ordering key had unfinished deliveries, none of which
	// could ever be claimed, and the inbox has made one the next. The cause is a
	// fault, of this package or of the program's own statements.
	Repaired func(source, key string)
}

// contain recovers the panic of a func of an Observer.
func contain() {
	if v := recover(); v != nil {
		slog.Error("observer panicked", "reason", v, "stack", string(debug.Stack()))
	}
}

func (o *Observer) put(d *webhook.Delivery, err error, took time.Duration) {
	if o == nil {
		return
	}
	defer contain()
	known, isKnown := errors.AsType[*webhook.DuplicateError](err)
	switch {
	case err == nil && o.Stored != nil:
		o.Stored(d, took)
	case isKnown:
		if o.Duplicate != nil {
			o.Duplicate(d, known)
		}
	case err != nil && o.Refused != nil:
		o.Refused(d, err)
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

func (o *Observer) swept(n int) {
	if o != nil && o.Swept != nil && n > 0 {
		defer contain()
		o.Swept(n)
	}
}

func (o *Observer) repaired(source, key string) {
	if o != nil && o.Repaired != nil {
		defer contain()
		o.Repaired(source, key)
	}
}

func (o *Observer) superseded(uids []string, by *webhook.Delivery) {
	if o == nil || o.Superseded == nil {
		return
	}
	defer contain()
	for _, uid := range uids {
		o.Superseded(uid, by)
	}
}

// observer is the field as the engine reads it, at each event.
func (in *Inbox) observer() *Observer { return in.Observer }

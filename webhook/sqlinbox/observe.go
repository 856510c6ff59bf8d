package sqlinbox

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// An Observer is told what happens in an inbox, for metrics: a struct of
// optional funcs, like net/http/httptrace.ClientTrace. What Receivers and
// Workers do is told by [webhook.Observer]. The funcs run inside the work they
// tell of, many at once: return quickly, and change nothing. A panic of theirs is
// logged with slog.Default.
type Observer struct {
	// Stored: a delivery is committed; took is how long its Put was.
	Stored func(d *webhook.Delivery, took time.Duration)
	// Duplicate: a delivery was known.
	Duplicate func(d *webhook.Delivery, known *webhook.DuplicateError)
	// Superseded: a newer delivery of a burst, as it was put, ended the one with
	// this UID. What is superseded when its claim is put back is told by
	// webhook.Observer.Settled.
	Superseded func(uid string, by *webhook.Delivery)
	// Refused: a delivery was not stored.
	Refused func(d *webhook.Delivery, err error)
	// Batch: a transaction of so many Puts ended; bytes are their headers and
	// bodies. The error is nil when it is committed. A Put that waits for an
	// ordering key that another transaction holds does not count.
	Batch func(puts int, bytes int, took time.Duration, err error)
	// Swept: so many finished deliveries were deleted.
	Swept func(n int)
	// Repaired: an ordering key had unfinished deliveries and none that could be
	// claimed, and the next one was brought forward. It tells of a fault, here or
	// in statements of the program's own.
	Repaired func(source, key string)
}

// contain keeps a panic of an Observer's func from the work that it tells of.
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
	var known *webhook.DuplicateError
	switch {
	case err == nil && o.Stored != nil:
		o.Stored(d, took)
	case errors.As(err, &known):
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
		if j.put != nil && !j.held {
			puts++
			bytes += j.put.size()
		}
	}
	if puts == 0 {
		return
	}
	// It may end its goroutine, which must not be the writer.
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer contain()
		o.Batch(puts, bytes, took, err)
	}()
	<-told
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

// observe tells of a put that has its answer.
func (in *Inbox) observe(j *job, err error, took time.Duration) {
	in.Observer.put(j.put.delivery, err, took)
	defer contain()
	if in.Observer != nil && in.Observer.Superseded != nil {
		for _, uid := range j.ended {
			in.Observer.Superseded(uid, j.put.delivery)
		}
	}
}

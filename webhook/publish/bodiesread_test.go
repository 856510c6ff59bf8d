package publish_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A countedInbox counts the deliveries that are read by their UIDs.
type countedInbox struct {
	*webhook.MemInbox
	reads atomic.Int64
}

func (in *countedInbox) Get(ctx context.Context, uid string) (webhook.Record, error) {
	in.reads.Add(1)
	return in.MemInbox.Get(ctx, uid)
}

func TestTheBodyOfAnEventIsNotReadByTheProcessThatHandsItOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		in := &countedInbox{MemInbox: r.inbox}
		r.use(in, r.store)
		for i := range 30 {
			r.create(fmt.Sprint("host", i))
		}
		r.start()
		r.publish(publish.Event{Payload: make([]byte, 8<<10)}) // all copies would take 240 KiB
		advance(time.Minute)
		for i := range 30 {
			if calls := r.net.to(fmt.Sprint("host", i)); len(calls) != 1 || len(calls[0].body) != 8<<10 {
				t.Fatalf("host%d has got %d requests", i, len(calls))
			}
		}
		if n := in.reads.Load(); n != 0 {
			t.Errorf("the body was read %d times", n)
		}
	})
}

package inboxtest

import (
	"context"
	"errors"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// RunQueue tests the laws of a [webhook.Queue] that is not an Inbox, such as one that gets
// its deliveries from a broker, together with the Handler that puts deliveries into it. They
// are those laws of [Run] that neither ask Put about duplicates nor call a method that only
// an Inbox has; [QueueLaws] returns their names. For each law RunQueue calls open once,
// which must return an empty queue and register its cleanup with t.
//
//   - What put has accepted, q must be able to give out when put returns. If q gets a
//     delivery later, put must wait for that. So a test of a broker wraps the Handler that
//     publishes.
//   - q may refuse all Types that are not nil, since a queue of a broker cannot leave a type
//     to others. Claim must then claim nothing and return an error that wraps
//     [errors.ErrUnsupported]. The laws about Types then test this refusal.
//   - The laws of [webhook.Notifier], [webhook.NextDuer] and [webhook.PendingCounter] are for
//     a q that implements them. Every other q passes.
func RunQueue(t *testing.T, open func(t *testing.T) (put webhook.Handler, q webhook.Queue)) {
	run(t, inAnyTime(queueLaws), inRealTime, always(asInbox(open)))
}

// RunQueueSynctest is [RunQueue] with each law in a bubble, as in [RunSynctest].
func RunQueueSynctest(t *testing.T, open func(t *testing.T) (put webhook.Handler, q webhook.Queue)) {
	run(t, inAnyTime(queueLaws), inFakeTime, always(asInbox(open)))
}

// QueueLaws returns the names of the subtests of [RunQueue]. They are the first of [Laws].
func QueueLaws() []string { return namesOf(inAnyTime(queueLaws)) }

// A queueInbox is a Queue with the Handler that puts deliveries into it.
type queueInbox struct {
	handler webhook.Handler
	webhook.Queue
}

func (q *queueInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	return q.handler.Handle(ctx, d)
}

func asInbox(open func(t *testing.T) (put webhook.Handler, q webhook.Queue)) func(t *testing.T) webhook.Inbox {
	return func(t *testing.T) webhook.Inbox {
		put, q := open(t)
		return &queueInbox{put, q}
	}
}

// queue returns what may implement the optional interfaces of a Queue.
func (t *trial) queue() webhook.Queue {
	if q, ok := t.in.(*queueInbox); ok {
		return q.Queue
	}
	return t.in
}

// claimTypes claims every delivery of the types that can be claimed now. If the queue refuses
// Types that are not nil, as RunQueue allows, taken is false.
func (t *trial) claimTypes(types ...string) (claims []webhook.Claim, taken bool) {
	t.Helper()
	claims, err := t.in.Claim(t.Context(), webhook.ClaimOptions{N: plenty, Lease: long, Types: append([]string{}, types...)})
	if _, mayRefuse := t.in.(*queueInbox); mayRefuse && errors.Is(err, errors.ErrUnsupported) {
		if len(claims) > 0 {
			t.Errorf("claimed %v although the Types were refused", uids(claims))
		}
		return nil, false
	}
	if err != nil {
		t.Fatalf("Claim of types %q: %v", types, err)
	}
	return claims, true
}

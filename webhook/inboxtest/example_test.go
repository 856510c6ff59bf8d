package inboxtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

// MemInbox takes the time from package time only, so its laws need no real time.
func TestMemInbox(t *testing.T) {
	inboxtest.RunSynctest(t, func(*testing.T) webhook.Inbox { return new(webhook.MemInbox) })
}

func TestMemInboxAsASweeper(t *testing.T) {
	inboxtest.RunSweeperSynctest(t, func(_ *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		return &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention}
	})
}

func TestMemInboxAsAnAdmin(t *testing.T) {
	inboxtest.RunAdminSynctest(t, func(*testing.T) webhook.Inbox { return new(webhook.MemInbox) })
	inboxtest.RunAttemptsSynctest(t, func(_ *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		return &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention}
	})
}

// This prints the laws about dead deliveries.
func ExampleLaws() {
	for _, law := range inboxtest.Laws() {
		if strings.Contains(law, "dead delivery") {
			fmt.Println(law)
		}
	}
	// Output:
	// a dead delivery is not claimed again
	// a redelivery with the same ID revives a dead delivery
	// a dead delivery is revived three times at most
	// a dead delivery of a burst is not revived while a younger one is unfinished
	// a dead delivery of a burst is revived although a younger one of another type is unfinished
	// a dead delivery is kept until DeadRetention is over
	// a dead delivery is deleted after DeadRetention
	// a redelivery of a deleted dead delivery is stored
	// a redelivery of a discarded dead delivery is stored
	// a redelivery of a discarded dead delivery is stored although another one has its UID
}

// forwarded returns a queue as a broker has one: what puts deliveries into it does not report
// duplicates.
func forwarded(*testing.T) (put webhook.Handler, q webhook.Queue) {
	in := new(webhook.MemInbox)
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		if err := in.Put(ctx, d); !webhook.IsDuplicate(err) {
			return err
		}
		return nil
	}), in
}

func TestMemInboxAsAQueue(t *testing.T) {
	inboxtest.RunQueueSynctest(t, forwarded)
	t.Run("in real time", func(t *testing.T) { inboxtest.RunQueue(t, forwarded) })
}

// The test of a queue has one subtest for each law.
func ExampleRunQueue() {
	// open returns an empty queue and the Handler that puts deliveries into it.
	open := func(t *testing.T) (put webhook.Handler, q webhook.Queue) {
		inbox := new(webhook.MemInbox)
		return webhook.Store(inbox), inbox
	}
	_ = func(t *testing.T) { inboxtest.RunQueue(t, open) } // func TestQueue(t *testing.T)
}

// This prints the laws about Types.
func ExampleQueueLaws() {
	for _, law := range inboxtest.QueueLaws() {
		if strings.Contains(law, "Types") {
			fmt.Println(law)
		}
	}
	// Output:
	// only deliveries of the given Types are claimed
	// if Types is nil, deliveries of every type are claimed
	// if Types is empty and not nil, nothing is claimed
	// Types that are not nil are refused always or never, and then nothing is claimed
}

package inboxtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

// MemInbox has no clock but package time's, so its laws need no real time.
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

// What an Inbox promises about dead deliveries.
func ExampleLaws() {
	for _, law := range inboxtest.Laws() {
		if strings.Contains(law, "dead") {
			fmt.Println(law)
		}
	}
	// Output:
	// a redelivery with the same ID revives what is dead
	// what is dead is revived three times at most
	// one of a burst stays dead while a younger one is unfinished
	// what is dead is not claimed again
	// what is dead stays until DeadRetention
	// what is dead goes after DeadRetention
	// a run after which a delivery is dead leaves an attempt
}

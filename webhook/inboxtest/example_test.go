package inboxtest_test

import (
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
	// a redelivery with the same ID revives a dead delivery
	// a dead delivery is revived three times at most
	// a dead delivery of a burst is not revived while a younger one is unfinished
	// a dead delivery is not claimed again
	// a dead delivery of a burst is revived although a younger one of another type is unfinished
	// a dead delivery is kept until DeadRetention is over
	// a dead delivery is deleted after DeadRetention
	// a redelivery of a deleted dead delivery is stored
	// a redelivery of a discarded dead delivery is stored
	// a redelivery of a discarded dead delivery is stored although another one has its UID
}

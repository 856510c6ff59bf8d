// Package laws runs the laws of an inbox on every database.
package laws

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestMain(m *testing.M) { engine.Main(m, engine.Memory()) }

// onEach runs f for each engine, side by side: each has a database of its own, and
// laws of leases wait for time to pass. It must be the last call of a test.
func onEach(t *testing.T, f func(t *testing.T, open func(t *testing.T) *sqlinbox.Inbox)) {
	for _, e := range engine.All() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			f(t, func(t *testing.T) *sqlinbox.Inbox {
				in, _ := e.NewStore(t).Inbox(t)
				return in
			})
		})
	}
}

func TestEveryEngineKeepsTheLawsOfAnInbox(t *testing.T) {
	onEach(t, func(t *testing.T, open func(t *testing.T) *sqlinbox.Inbox) {
		inboxtest.Run(t, func(t *testing.T) webhook.Inbox { return open(t) })
	})
}

func TestEveryEngineKeepsTheLawsOfASweeper(t *testing.T) {
	onEach(t, func(t *testing.T, open func(t *testing.T) *sqlinbox.Inbox) {
		inboxtest.RunSweeper(t, sweeping(open))
	})
}

func TestEveryEngineKeepsTheLawsOfAnAdmin(t *testing.T) {
	onEach(t, func(t *testing.T, open func(t *testing.T) *sqlinbox.Inbox) {
		inboxtest.RunAdmin(t, func(t *testing.T) webhook.Inbox { return open(t) })
	})
}

func TestEveryEngineKeepsTheLawsOfAttempts(t *testing.T) {
	onEach(t, func(t *testing.T, open func(t *testing.T) *sqlinbox.Inbox) {
		inboxtest.RunAttempts(t, sweeping(open))
	})
}

// sweeping opens inboxes that keep deliveries for a time.
func sweeping(open func(t *testing.T) *sqlinbox.Inbox) func(*testing.T, time.Duration, time.Duration) webhook.Inbox {
	return func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		in := open(t)
		in.Retention, in.DeadRetention = retention, deadRetention
		in.Logger = slog.New(slog.DiscardHandler)
		return in
	}
}

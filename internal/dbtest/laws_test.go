package dbtest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestEveryEngineKeepsTheLawsOfInbox(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		inboxtest.Run(t, func(t *testing.T) webhook.Inbox {
			in, _ := e.open(t)
			return in
		})
	})
}

func TestEveryEngineKeepsTheLawsOfASweeper(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		inboxtest.RunSweeper(t, func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
			in, _ := e.open(t)
			in.Retention, in.DeadRetention = retention, deadRetention
			in.Logger = slog.New(slog.DiscardHandler)
			return in
		})
	})
}

func TestEveryEngineKeepsTheLawsOfAnAdmin(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		inboxtest.RunAdmin(t, func(t *testing.T) webhook.Inbox {
			in, _ := e.open(t)
			return in
		})
	})
}

func TestEveryEngineKeepsTheLawsOfAttempts(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		inboxtest.RunAttempts(t, func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
			in, _ := e.open(t)
			in.Retention, in.DeadRetention = retention, deadRetention
			in.Logger = slog.New(slog.DiscardHandler)
			return in
		})
	})
}

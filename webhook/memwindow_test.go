package webhook_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestMemInboxTellsItsWindow(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{0: 30 * 24 * time.Hour, -1: 30 * 24 * time.Hour, time.Hour: time.Hour} {
		if got := (&webhook.MemInbox{Window: window}).DedupWindow(); got != want {
			t.Errorf("Window %v: %v, want %v", window, got, want)
		}
	}
}

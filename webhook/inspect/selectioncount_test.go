package inspect_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The page that asks counts to 10 000, for a bounded time.
func TestTheSizeOfASelectionIsCountedToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.dead(10_000)
		const exact = "10\u202f000 finished"
		if page := r.get("select?state=dead").Body.String(); !strings.Contains(page, exact) {
			t.Errorf("no %q in %s", exact, page)
		}
		r.dead(1)
		if page := r.get("select?state=dead").Body.String(); !strings.Contains(page, "10\u202f000&#43; finished") {
			t.Errorf("10 001: %s", page)
		}
		r.Inspector = r.inspector(slowReads{r.inbox}, ann)
		began := time.Now()
		page := r.get("select?state=dead").Body.String()
		if took := time.Since(began); took > 5*time.Second || !strings.Contains(page, "At least 2\u202f000 finished") {
			t.Errorf("after %v: %s", took, page)
		}
	})
}

// A slowReads takes 700 ms for each list.
type slowReads struct{ *webhook.MemInbox }

func (s slowReads) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	time.Sleep(700 * time.Millisecond)
	return s.MemInbox.All(ctx, f)
}

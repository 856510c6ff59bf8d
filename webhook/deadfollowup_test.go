package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestDeadDuplicate(t *testing.T) {
	dead, done := &webhook.DuplicateError{UID: "dead", State: webhook.Dead}, &webhook.DuplicateError{UID: "done", State: webhook.Done}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"no error":                  {nil, ""},
		"another error":             {errBoom, ""},
		"of a done one":             {done, ""},
		"of a dead one":             {dead, "dead"},
		"wrapped":                   {fmt.Errorf("follow: %w", dead), "dead"},
		"the second that is joined": {errors.Join(done, fmt.Errorf("follow: %w", dead)), "dead"},
		"the first of two":          {errors.Join(dead, &webhook.DuplicateError{UID: "other", State: webhook.Dead}), "dead"},
		"revived":                   {&webhook.DuplicateError{UID: "dead", State: webhook.Waiting, Revived: true}, ""},
	} {
		uid, ok := webhook.DeadDuplicate(test.err)
		if uid != test.want || ok != (test.want != "") {
			t.Errorf("%s: got %q, %t, want %q", name, uid, ok, test.want)
		}
	}
}

// A cause puts a delivery that follows from it. That one died. When the cause is
// replayed, the Worker says once that the other is still dead, and the inbox keeps it.
func TestAReplayedCauseNamesItsDeadFollowUp(t *testing.T) {
	synctestRun(t, "", func(t *testing.T) {
		in := &webhook.MemInbox{}
		worker, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if d.UID == "cause" {
				follower := webhook.NewDelivery("alpha", "alpha.follow", "", nil)
				follower.UID = "follow-up of cause"
				return webhook.Store(in).Handle(ctx, follower)
			}
			return webhook.Permanent(errBoom)
		}))
		var log bytes.Buffer
		worker.Logger = slog.New(slog.NewTextHandler(&log, nil))
		stop := start(t, worker)
		putDelivery(t, in, "cause", nil)
		advance(1e9)
		if strings.Contains(log.String(), "follows from it") {
			t.Errorf("the first run logged %s", log.String())
		}
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: "cause"}, webhook.Note{By: "ann"}); n != 1 || err != nil {
			t.Fatalf("Replay: %d, %v", n, err)
		}
		advance(1e9)
		stop()
		const reason = "what it put is a duplicate of follow-up of cause, which is dead: replay that one"
		if got := j.last(); got.State != webhook.Done || got.Reason != reason {
			t.Errorf("the outcome is %+v, want done with the reason", got)
		}
		if r, err := in.Get(t.Context(), "cause"); r.State != webhook.Done || r.Reason != reason || err != nil {
			t.Errorf("stored: %s, %q, %v", r.State, r.Reason, err)
		}
		line := `level=WARN msg="delivery is done, but what follows from it is dead"`
		if n := strings.Count(log.String(), line); n != 1 || !strings.Contains(log.String(), reason) {
			t.Errorf("%d warnings, want one with the reason:\n%s", n, log.String())
		}
	})
}

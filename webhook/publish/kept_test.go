package publish_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A silentOutbox does not say how long it keeps anything.
type silentOutbox struct{ webhook.Inbox }

func TestRunRefusesAnOutboxThatDeletesEventsTooEarly(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		name            string
		outbox, history time.Duration // Retention of the outbox and of the Publisher
		schedule        []time.Duration
		silent          bool
		want            string // in the error; empty means that it runs
	}{
		{name: "the defaults"},
		{name: "longer than the schedule with the longest jitter", outbox: 91 * time.Hour, history: time.Hour},
		{name: "as long as the schedule without jitter", outbox: 76 * time.Hour, history: time.Hour, want: "after 76h0m0s, but Schedule can take 90h"},
		{name: "a long schedule", schedule: []time.Duration{day, day, day, day, day, day}, want: "Schedule can take 172h48m0s"},
		{name: "without an end", outbox: -1, history: 365 * day, schedule: []time.Duration{day, day, day, day, day, day}},
		{name: "a long Retention", history: 8 * day, want: "Retention of 192h0m0s"},
		{name: "an outbox that does not say", outbox: time.Hour, silent: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t)
				r.inbox.Retention = test.outbox
				if test.silent {
					r.use(silentOutbox{r.inbox}, r.store)
				}
				r.Retention, r.Schedule = test.history, test.schedule
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				switch err := r.Run(ctx); {
				case test.want == "" && err != nil:
					t.Errorf("Run = %v", err)
				case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
					t.Errorf("Run = %v, want an error with %q", err, test.want)
				}
			})
		})
	}
}

package webhook_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// muxOf returns a Mux that routes each of the types to h.
func muxOf(h webhook.Handler, types ...string) *webhook.Mux {
	mux := new(webhook.Mux)
	for _, typ := range types {
		mux.Route(typ, h)
	}
	return mux
}

func TestPolicyOverridesSettingsOfAType(t *testing.T) {
	fails := func(context.Context, *webhook.Delivery) error { return errBoom }
	for _, test := range []struct {
		name   string
		policy webhook.Policy
		own    func(w *webhook.Worker) // settings of the Worker
		handle webhook.HandlerFunc
		want   []webhook.Outcome // of the type with the policy, within an hour
		others []webhook.Outcome // of another type
	}{
		{
			"MaxAttempts", webhook.Policy{MaxAttempts: 1},
			func(w *webhook.Worker) { w.MaxAttempts = 2; w.Retry = webhook.Backoff{First: 1, Max: 1} }, fails,
			[]webhook.Outcome{{State: webhook.Dead, Reason: "boom"}},
			[]webhook.Outcome{{State: webhook.Waiting, Reason: "boom", Delay: 1}, {State: webhook.Dead, Reason: "boom"}},
		}, {
			"Retry", webhook.Policy{Retry: webhook.Backoff{First: 1, Max: 1}},
			func(w *webhook.Worker) {
				w.MaxAttempts = 2
				w.Retry = webhook.Backoff{First: 48 * time.Hour, Max: 48 * time.Hour}
			}, fails,
			[]webhook.Outcome{{State: webhook.Waiting, Reason: "boom", Delay: 1}, {State: webhook.Dead, Reason: "boom"}},
			[]webhook.Outcome{{State: webhook.Waiting, Reason: "boom", Delay: aDay}},
		}, {
			"Timeout", webhook.Policy{Timeout: time.Minute},
			func(w *webhook.Worker) { w.MaxAttempts = 1; w.Timeout = time.Hour },
			func(ctx context.Context, _ *webhook.Delivery) error {
				start := time.Now()
				<-ctx.Done()
				return errors.New(time.Since(start).String())
			},
			[]webhook.Outcome{{State: webhook.Dead, Reason: "1m0s"}},
			nil,
		}, {
			"RetryOutOfOrder", webhook.Policy{RetryOutOfOrder: new(false)},
			func(w *webhook.Worker) {
				w.RetryOutOfOrder = true
				w.Retry = webhook.Backoff{First: 48 * time.Hour, Max: 48 * time.Hour}
			}, fails,
			[]webhook.Outcome{{State: webhook.Waiting, Reason: "boom", Delay: aDay}},
			[]webhook.Outcome{{State: webhook.Waiting, Reason: "boom", Delay: aDay, RetryOutOfOrder: true}},
		}, {
			"none", webhook.Policy{},
			func(w *webhook.Worker) { w.MaxAttempts = 1; w.RetryOutOfOrder = true }, fails,
			[]webhook.Outcome{{State: webhook.Dead, Reason: "boom"}},
			[]webhook.Outcome{{State: webhook.Dead, Reason: "boom"}},
		},
	} {
		for _, typ := range []string{"alpha.own", "alpha.other"} {
			want := test.want
			if typ == "alpha.other" {
				want = test.others
			}
			synctestRun(t, test.name+" of "+typ, func(t *testing.T) {
				in := &webhook.MemInbox{}
				w, j := newTestWorker(in, muxOf(test.handle, "alpha.own", "alpha.other"))
				w.Types = map[string]webhook.Policy{"alpha.own": test.policy}
				w.PollInterval = time.Minute
				test.own(w)
				putDelivery(t, in, "a", typed(typ))
				stop := start(t, w)
				advance(59 * time.Minute)
				j.mu.Lock()
				got := append([]webhook.Outcome(nil), j.settled...)
				j.mu.Unlock()
				for i := range got {
					if got[i].Delay >= 24*time.Hour {
						got[i].Delay = aDay
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				advance(2 * time.Hour)
				stop()
			})
		}
	}
}

// aDay stands for any delay of a day or more, since a delay has a random part.
const aDay = 24 * time.Hour

func TestZeroFieldsOfAPolicysRetryAreThoseOfTheWorker(t *testing.T) {
	w, _ := newTestWorker(&webhook.MemInbox{}, webhook.HandlerFunc(succeed))
	w.Retry = webhook.Backoff{First: time.Minute, Max: time.Minute}
	w.Types = map[string]webhook.Policy{
		"first": {Retry: webhook.Backoff{First: 4 * time.Second}},
		"max":   {Retry: webhook.Backoff{Max: 4 * time.Second}},
	}
	for typ, limits := range map[string][2]time.Duration{
		"first": {2 * time.Second, 4 * time.Second},
		"max":   {2 * time.Second, 4 * time.Second},
		"none":  {30 * time.Second, time.Minute},
	} {
		delay := w.Decide(t.Context(), webhook.Claim{Attempt: 1, Delivery: &webhook.Delivery{Type: typ}}, errBoom).Delay
		if delay < limits[0] || delay > limits[1] {
			t.Errorf("%s: the delay is %v, want %v to %v", typ, delay, limits[0], limits[1])
		}
	}
	late := w.Decide(t.Context(), webhook.Claim{Attempt: 10, Delivery: &webhook.Delivery{Type: "first"}}, errBoom).Delay
	if late < 30*time.Second || late > time.Minute {
		t.Errorf("the tenth delay is %v, want that of Worker.Retry.Max", late)
	}
}

func TestOverdueFollowsTheTimeoutOfTheType(t *testing.T) {
	synctestRun(t, "an attempt is overdue one Lease after the Timeout of its type", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, j := newTestWorker(in, muxOf(h, "alpha.own", "alpha.other"))
		w.Timeout, w.PollInterval = 30*time.Minute, time.Minute
		w.Types = map[string]webhook.Policy{"alpha.own": {Timeout: time.Minute}}
		putDelivery(t, in, "hang", typed("alpha.own"))
		putDelivery(t, in, "hang too", typed("alpha.other"))
		stop := start(t, w)
		advance(10 * time.Minute)
		if got := j.late(); len(got) == 0 || got[0] != 90*time.Second {
			t.Errorf("the first overdue callback was reported after %v, want 90 s", got)
		}
		if got := w.Health().Overdue; got != 1 {
			t.Errorf("Health().Overdue = %d, want 1", got)
		}
		release(4)
		advance(time.Hour)
		stop()
	})
}

func TestWorkerIsStuckAfterTheLongestTimeoutOfItsOverdueCallbacks(t *testing.T) {
	synctestRun(t, "which may be that of a type", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, _ := newTestWorker(in, muxOf(h, "alpha.own", "alpha.other"))
		w.Concurrency, w.Timeout, w.PollInterval, w.MaxAttempts = 2, time.Minute, time.Minute, 1
		w.Types = map[string]webhook.Policy{"alpha.own": {Timeout: 20 * time.Minute}}
		putDelivery(t, in, "hang", typed("alpha.own"))
		putDelivery(t, in, "hang too", typed("alpha.other"))
		began := time.Now()
		if err := w.Run(t.Context()); !errors.Is(err, webhook.ErrStuck) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrStuck)
		}
		if took := time.Since(began); took != 40*time.Minute+30*time.Second {
			t.Errorf("Run returned after %v, want twice 20 min and a Lease", took)
		}
		release(2)
	})
}

func TestSuspectHasTheTimeoutOfItsTypeToBegin(t *testing.T) {
	synctestRun(t, "not that of the Worker", func(t *testing.T) {
		var deadline time.Duration
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onBegin: func(ctx context.Context) error {
			until, _ := ctx.Deadline()
			deadline = time.Until(until)
			return nil
		}}
		suspects(t, in.MemInbox, "a")
		w, _ := newTestWorker(in, muxOf(webhook.HandlerFunc(succeed), "alpha.event"))
		w.Types = map[string]webhook.Policy{"alpha.event": {Timeout: 7 * time.Minute}}
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if deadline != 7*time.Minute {
			t.Errorf("Begin had %v, want 7 min", deadline)
		}
	})
}

func TestRunRefusesTypesThatTheHandlerLacks(t *testing.T) {
	const typo = "alpha.evnet"
	all := webhook.HandlerFunc(succeed)
	one := muxOf(all, "alpha.event", "alpha.more")
	for _, test := range []struct {
		name    string
		handler webhook.Handler
		types   map[string]webhook.Policy
		want    string // empty: it runs
		is      error
	}{
		{"a misspelled type", one, map[string]webhook.Policy{"alpha.event": {}, typo: {MaxAttempts: 1}},
			`webhook: no handler for type "alpha.evnet", which Worker.Types has; the Handler has alpha.event, alpha.more`, webhook.ErrNoHandler},
		{"a misspelled type behind Wrap", webhook.Recover(one), map[string]webhook.Policy{typo: {}},
			`webhook: no handler for type "alpha.evnet", which Worker.Types has; the Handler has alpha.event, alpha.more`, webhook.ErrNoHandler},
		{"a Handler without types", new(webhook.Mux), map[string]webhook.Policy{typo: {}},
			`webhook: no handler for type "alpha.evnet", which Worker.Types has; the Handler has no type`, webhook.ErrNoHandler},
		{"a Concurrency for a Handler of every type", &webhook.Mux{Default: all}, map[string]webhook.Policy{"alpha.event": {Concurrency: 2}},
			`webhook: Worker.Types["alpha.event"].Concurrency is 2, which needs a Handler that knows its types, such as a Mux without Default and IgnoreUnhandled`, nil},
		{"other settings for a Handler of every type", &webhook.Mux{Default: all}, map[string]webhook.Policy{"any": {MaxAttempts: 2}}, "", nil},
		{"a negative Concurrency", one, map[string]webhook.Policy{"alpha.event": {Concurrency: -1}},
			`webhook: Worker.Types["alpha.event"]: Concurrency is -1, which is negative`, nil},
		{"a negative MaxAttempts", one, map[string]webhook.Policy{"alpha.event": {MaxAttempts: -1}},
			`webhook: Worker.Types["alpha.event"]: MaxAttempts is -1, which is negative`, nil},
		{"a negative Timeout", one, map[string]webhook.Policy{"alpha.event": {Timeout: -time.Second}},
			`webhook: Worker.Types["alpha.event"]: Timeout is -1s, which is negative`, nil},
		{"a negative Retry.First", one, map[string]webhook.Policy{"alpha.event": {Retry: webhook.Backoff{First: -1}}},
			`webhook: Worker.Types["alpha.event"]: Retry.First is -1ns, which is negative`, nil},
		{"a negative Retry.Max", one, map[string]webhook.Policy{"alpha.event": {Retry: webhook.Backoff{Max: -1}}},
			`webhook: Worker.Types["alpha.event"]: Retry.Max is -1ns, which is negative`, nil},
		{"types of the Handler", one, map[string]webhook.Policy{"alpha.event": {Concurrency: 100}, "alpha.more": {}}, "", nil},
	} {
		synctestRun(t, test.name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			d := putDelivery(t, in, "a", nil)
			for what, run := range map[string]func(w *webhook.Worker, ctx context.Context) error{"Run": (*webhook.Worker).Run, "Drain": (*webhook.Worker).Drain} {
				w, _ := newTestWorker(in, test.handler)
				w.Types, w.PollInterval = test.types, 10*time.Second
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				err := run(w, ctx)
				cancel()
				switch {
				case test.want == "" && err != nil:
					t.Errorf("%s = %v, want nil", what, err)
				case test.want != "" && (err == nil || err.Error() != test.want || test.is != nil && !errors.Is(err, test.is)):
					t.Errorf("%s = %v, want %s", what, err, test.want)
				}
			}
			if got := stateOf(t, in, d); (got == webhook.Waiting) != (test.want != "") {
				t.Errorf("the delivery is %s", got)
			}
		})
	}
}

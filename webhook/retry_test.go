package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// TestRetryPolicyDecidesByTheTableOfWorker has each line of the table in the
// documentation of Worker, in its order, and each sentence about errors that wrap
// others.
func TestRetryPolicyDecidesByTheTableOfWorker(t *testing.T) {
	const fixed = 16 * time.Second // the wait is between half of it and all of it
	policy := retryPolicy{backoff: Backoff{First: fixed, Max: fixed}, maxAttempts: 3}
	first, last := Claim{Attempt: 1}, Claim{Attempt: 3, Last: true}
	boom := errors.New("boom")
	later := RetryAfter(time.Hour, boom)
	noHandler := fmt.Errorf("%w for type %q", ErrNoHandler, "alpha.event")
	panicked := &PanicError{Value: "boom"}
	const afterBackoff = time.Duration(-1)
	dead := Outcome{State: Dead}
	putBack := Outcome{State: Waiting, Uncounted: true}
	inAMinute := Outcome{State: Waiting, Delay: time.Minute, Uncounted: true}
	again := Outcome{State: Waiting, Delay: afterBackoff}
	for _, test := range []struct {
		name  string
		claim Claim
		err   error
		cause error // of the end of the Handler's context
		want  Outcome
	}{
		{"nil is done", first, nil, nil, Outcome{State: Done}},
		{"nil in the last attempt is done", last, nil, nil, Outcome{State: Done}},
		{"nil after Timeout is done", first, nil, errTimedOut, Outcome{State: Done}},
		{"nil after ShutdownTimeout is done", first, nil, ErrShutdown, Outcome{State: Done}},
		{"ErrDuplicate is done", first, &DuplicateError{UID: "other"}, nil, Outcome{State: Done}},
		{"joined duplicates are done", first, errors.Join(ErrDuplicate, ErrDuplicate), nil, Outcome{State: Done}},
		{"ErrDuplicate joined with a failure is tried again", first, errors.Join(ErrDuplicate, boom), nil, again},

		{"ErrIgnored is ignored", first, fmt.Errorf("%w: a branch", ErrIgnored), nil, Outcome{State: Ignored}},
		{"ErrIgnored after ShutdownTimeout is ignored", first, ErrIgnored, ErrShutdown, Outcome{State: Ignored}},
		{"ErrIgnored that wraps a failure too is tried again", first, fmt.Errorf("%w: %w", ErrIgnored, boom), nil, again},

		{"ErrMalformed is dead", first, fmt.Errorf("alpha: %w", ErrMalformed), nil, dead},
		{"ErrMalformed after Timeout is dead", first, ErrMalformed, errTimedOut, dead},
		{"ErrMalformed after ShutdownTimeout is dead", first, ErrMalformed, ErrShutdown, dead},
		{"ErrMalformed with its cause is dead", first, fmt.Errorf("%w: %w", ErrMalformed, boom), nil, dead},

		{"ErrNoHandler is put back for a minute, uncounted", first, noHandler, nil, inAMinute},
		{"ErrNoHandler in the last attempt is put back too", last, noHandler, nil, inAMinute},
		{"ErrNoHandler after ShutdownTimeout is put back for a minute", first, noHandler, ErrShutdown, inAMinute},

		{"a failure after ShutdownTimeout is put back uncounted", first, boom, ErrShutdown, putBack},
		{"a failure in the last attempt after ShutdownTimeout too", last, boom, ErrShutdown, putBack},
		{"Permanent after ShutdownTimeout too", first, Permanent(boom), ErrShutdown, putBack},
		{"RetryAfter after ShutdownTimeout too", first, later, ErrShutdown, putBack},
		{"a panic after ShutdownTimeout too", first, panicked, ErrShutdown, putBack},

		{"Permanent is dead", first, Permanent(boom), nil, dead},
		{"Permanent inside another error is dead", first, fmt.Errorf("deploy: %w", Permanent(boom)), nil, dead},
		{"Permanent around RetryAfter is dead", first, Permanent(later), nil, dead},
		{"RetryAfter around Permanent is dead", first, RetryAfter(time.Second, Permanent(boom)), nil, dead},
		{"Permanent among the %w of one error is dead", first, fmt.Errorf("%w: %w", boom, Permanent(io.EOF)), nil, dead},
		{"Permanent joined with ErrMalformed is dead", first, errors.Join(Permanent(io.EOF), ErrMalformed), nil, dead},
		{"Permanent joined with a failure is tried again", first, errors.Join(Permanent(io.EOF), boom), nil, again},
		{"Permanent after Timeout is tried again", first, Permanent(boom), errTimedOut, again},
		{"Permanent after the claim was lost is tried again", first, Permanent(boom), ErrClaimLost, again},
		{"Permanent after Timeout in the last attempt is dead", last, Permanent(boom), errTimedOut, dead},

		{"a failure in the last attempt is dead", last, boom, nil, dead},
		{"RetryAfter in the last attempt is dead", last, later, nil, dead},
		{"a panic in the last attempt is dead", last, panicked, nil, dead},

		{"RetryAfter is tried again after its delay", first, later, nil, Outcome{State: Waiting, Delay: time.Hour}},
		{"a negative RetryAfter is tried again at once", first, RetryAfter(-time.Hour, boom), nil, Outcome{State: Waiting}},
		{"of several RetryAfter the first applies", first, errors.Join(later, RetryAfter(time.Minute, boom)), nil, Outcome{State: Waiting, Delay: time.Hour}},
		{"RetryAfter joined with Permanent applies", first, errors.Join(Permanent(boom), later), nil, Outcome{State: Waiting, Delay: time.Hour}},

		{"another failure is tried again after Retry", first, boom, nil, again},
		{"a panic is tried again after Retry", first, panicked, nil, again},
		{"a panic with ErrDuplicate is tried again", first, &PanicError{Value: ErrDuplicate}, nil, again},
		{"a failure after Timeout is tried again", first, boom, errTimedOut, again},
	} {
		for _, outOfOrder := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, out of order %v", test.name, outOfOrder), func(t *testing.T) {
				w := &Worker{Retry: policy.backoff, MaxAttempts: policy.maxAttempts, RetryOutOfOrder: outOfOrder}
				ctx, cancel := context.WithCancelCause(t.Context())
				if test.cause != nil {
					cancel(test.cause)
				}
				defer cancel(nil)
				// A callback gets a claim with Last set; a test need not set it.
				got, want := w.Decide(ctx, Claim{Attempt: test.claim.Attempt}, test.err), test.want
				if want.Delay == afterBackoff {
					if got.Delay < fixed/2 || got.Delay > fixed {
						t.Errorf("the delay is %v, want %v to %v", got.Delay, fixed/2, fixed)
					}
					want.Delay = got.Delay
				}
				if want.State != Done {
					want.Reason = test.err.Error()
				}
				// A delivery that is put back at shutdown is due at once and keeps its order.
				want.RetryOutOfOrder = outOfOrder && want.State == Waiting && test.want != putBack
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestRetryPolicyNamesTheCauseOfAContextThatEnded(t *testing.T) {
	for _, test := range []struct {
		name       string
		err, cause error
		want       string
	}{
		{"the context's error after Timeout", context.Canceled, errTimedOut, errTimedOut.Error()},
		{"an error that wraps it", fmt.Errorf("deploy: %w", context.Canceled), errTimedOut, errTimedOut.Error()},
		{"the cause itself", fmt.Errorf("deploy: %w", ErrClaimLost), ErrClaimLost, ErrClaimLost.Error()},
		{"after ShutdownTimeout", context.Canceled, ErrShutdown, ErrShutdown.Error()},
		{"another error", errors.New("signal: killed"), errTimedOut, "signal: killed"},
		{"a context of the Handler's own", context.Canceled, nil, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (retryPolicy{}).decide(Claim{Attempt: 1}, test.err, test.cause).Reason; got != test.want {
				t.Errorf("the reason is %q, want %q", got, test.want)
			}
		})
	}
}

func TestRetryPolicyOfAnOverdueAttempt(t *testing.T) {
	const reason = "webhook: attempt took longer than its Timeout and has not returned"
	p := retryPolicy{backoff: Backoff{First: 2, Max: 2}, outOfOrder: true}
	got := p.overdue(Claim{Attempt: 1})
	if got.Delay < 1 || got.Delay > 2 {
		t.Errorf("the delay is %v, want that of the Backoff", got.Delay)
	}
	got.Delay = 0
	if diff := cmp.Diff(Outcome{State: Waiting, Reason: reason, RetryOutOfOrder: true}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Outcome{State: Dead, Reason: reason}, p.overdue(Claim{Last: true})); diff != "" {
		t.Error(diff)
	}
}

func TestRetryPolicyOfASuspectThatCannotBegin(t *testing.T) {
	p := retryPolicy{backoff: Backoff{First: time.Minute}, outOfOrder: true}
	got := p.notBegun(Claim{Attempt: 1}, time.Hour, errors.New("away"))
	want := Outcome{State: Waiting, Reason: "attempt could not begin: away", Delay: time.Hour, Uncounted: true, RetryOutOfOrder: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := p.notBegun(Claim{Attempt: 1}, time.Second, errors.New("away")).Delay; d < 30*time.Second {
		t.Errorf("the delay is %v, want that of the Backoff if it is longer", d)
	}
}

func TestRetryPolicyGivesUpWhatEndsTheProcess(t *testing.T) {
	p := retryPolicy{maxAttempts: 2}
	for _, test := range []struct {
		name            string
		claim           Claim
		last, exhausted bool
	}{
		{"the first attempt", Claim{Attempt: 1}, false, false},
		{"the last attempt", Claim{Attempt: 2}, true, false},
		{"the last attempt after a crash", Claim{Attempt: 2, Crashes: 1}, true, false},
		{"beyond the last attempt without a crash", Claim{Attempt: 3}, true, false},
		{"beyond the last attempt after a crash", Claim{Attempt: 3, Crashes: 1}, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if last, exhausted := p.isLast(test.claim), p.isExhausted(test.claim); last != test.last || exhausted != test.exhausted {
				t.Errorf("last %v, exhausted %v, want %v, %v", last, exhausted, test.last, test.exhausted)
			}
		})
	}
	for _, test := range []struct {
		claim Claim
		want  string
	}{
		{Claim{Crashes: 1}, "it ended the process when it ran alone"},
		{Claim{Crashes: 2, Reason: "away"}, "it ended the process 2 times when it ran alone; before that: away"},
	} {
		if diff := cmp.Diff(Outcome{State: Dead, Reason: test.want}, p.exhausted(test.claim)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReasonIsTextThatEveryDatabaseStores(t *testing.T) {
	got := reason(errors.New("\x00" + strings.Repeat("é", limit.Reason)))
	if want := "\uFFFD" + strings.Repeat("é", (limit.Reason-len("\uFFFD"))/2); got != want {
		t.Errorf("the reason has %d bytes, want %d, or differs", len(got), len(want))
	}
}

func TestBackoffDoublesUpToMaxMinusAtMostHalf(t *testing.T) {
	for _, test := range []struct {
		name    string
		backoff Backoff
		attempt int
		most    time.Duration
	}{
		{"the zero value begins with a second", Backoff{}, 1, time.Second},
		{"the zero value doubles", Backoff{}, 5, 16 * time.Second},
		{"the zero value stays below an hour", Backoff{}, 12, 2048 * time.Second},
		{"the zero value stops at an hour", Backoff{}, 13, time.Hour},
		{"a far attempt does not overflow", Backoff{}, 1 << 40, time.Hour},
		{"an attempt before the first is the first", Backoff{}, 0, time.Second},
		{"a Max below First applies", Backoff{First: time.Minute, Max: time.Second}, 1, time.Second},
		{"a Max between two steps applies", Backoff{First: 2 * time.Second, Max: 5 * time.Second}, 3, 5 * time.Second},
		{"the longest Max does not overflow", Backoff{First: 1 << 62, Max: 1<<63 - 1}, 9, 1<<63 - 1},
		{"negative values are like zero", Backoff{First: -1, Max: -1}, 1, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			least := test.most - test.most/2
			for range 1000 {
				if d := test.backoff.Delay(test.attempt); d < least || d > test.most {
					t.Fatalf("delay %v, want %v to %v", d, least, test.most)
				}
			}
		})
	}
}

func TestBackoffIsRandom(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 100 {
		seen[Backoff{}.Delay(10)] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different delays of 100: deliveries that fail together are retried together", len(seen))
	}
}

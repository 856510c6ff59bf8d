package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDecidePostpones has the sentences of the documentation of Postpone about Decide.
func TestDecidePostpones(t *testing.T) {
	boom := errors.New("boom")
	hold := Postpone(time.Hour, boom)
	held := Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: "boom"}
	failed := Outcome{State: Waiting, Delay: time.Hour, Reason: "boom\nboom"}
	for _, test := range []struct {
		name    string
		err     error
		cause   error
		attempt int
		want    Outcome
	}{
		{"it waits, uncounted", hold, nil, 1, held},
		{"in the last attempt too", hold, nil, 3, held},
		{"beyond the last attempt too", hold, nil, 4, held},
		{"after Timeout too", hold, errTimedOut, 1, held},
		{"after ShutdownTimeout too", hold, ErrShutdown, 1, held},
		{"inside another error", fmt.Errorf("%w", hold), nil, 1, held},
		{"around Permanent", Postpone(time.Hour, Permanent(boom)), nil, 1, held},
		{"inside Permanent", Permanent(hold), nil, 1, held},
		{"around RetryAfter", Postpone(time.Hour, RetryAfter(time.Minute, boom)), nil, 1, held},
		{"inside RetryAfter", RetryAfter(time.Minute, hold), nil, 1, held},
		{"around ErrIgnored", Postpone(time.Hour, ErrIgnored), nil, 1, Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: ErrIgnored.Error()}},
		{"around ErrMalformed", Postpone(time.Hour, ErrMalformed), nil, 1, Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: ErrMalformed.Error()}},
		{"joined with another", errors.Join(hold, Postpone(time.Minute, boom)), nil, 1, Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: "boom\nboom"}},
		{"joined with a failure it counts as RetryAfter", errors.Join(boom, hold), nil, 1, failed},
		{"joined with a failure in the last attempt it is dead", errors.Join(boom, hold), nil, 3, Outcome{State: Dead, Reason: "boom\nboom"}},
		{"a panic with it has failed", &PanicError{Value: hold}, nil, 3, Outcome{State: Dead, Reason: "webhook: handler panicked: boom"}},
		{"a negative delay is the shortest", Postpone(-time.Hour, boom), nil, 1, Outcome{State: Waiting, Delay: 10 * time.Millisecond, Uncounted: true, Reason: "boom"}},
		{"zero is the shortest", Postpone(0, boom), nil, 1, Outcome{State: Waiting, Delay: 10 * time.Millisecond, Uncounted: true, Reason: "boom"}},
		{"a year is the longest", Postpone(365*24*time.Hour, boom), nil, 1, Outcome{State: Waiting, Delay: 24 * time.Hour, Uncounted: true, Reason: "boom"}},
		{"with RetryOutOfOrder younger ones may run", RetryOutOfOrder(hold), nil, 1, Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: "boom", RetryOutOfOrder: true}},
		{"around RetryOutOfOrder too", Postpone(time.Hour, RetryOutOfOrder(boom)), nil, 1, Outcome{State: Waiting, Delay: time.Hour, Uncounted: true, Reason: "boom", RetryOutOfOrder: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &Worker{MaxAttempts: 3}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if test.cause != nil {
				cancel(test.cause)
			}
			if diff := cmp.Diff(test.want, w.Decide(ctx, Claim{Attempt: test.attempt}, test.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPostponedDeliveryHoldsItsKeyWhateverTheWorkerAndThePolicySay(t *testing.T) {
	yes := true
	w := &Worker{RetryOutOfOrder: true, Types: map[string]Policy{"alpha.event": {RetryOutOfOrder: &yes}}}
	got := w.Decide(t.Context(), Claim{Attempt: 1, Delivery: &Delivery{Type: "alpha.event"}}, Postpone(time.Second, errors.New("boom")))
	if got.RetryOutOfOrder {
		t.Errorf("Decide = %+v, want that younger ones wait", got)
	}
}

func TestDecideLetsYoungerOnesRunAfterRetryOutOfOrder(t *testing.T) {
	boom := errors.New("boom")
	outOfOrder := RetryOutOfOrder(boom)
	for _, test := range []struct {
		name  string
		err   error
		cause error
		want  bool
	}{
		{"a failure", boom, nil, false},
		{"RetryOutOfOrder", outOfOrder, nil, true},
		{"inside another error", fmt.Errorf("call: %w", outOfOrder), nil, true},
		{"around RetryAfter", RetryOutOfOrder(RetryAfter(time.Hour, boom)), nil, true},
		{"inside RetryAfter", RetryAfter(time.Hour, outOfOrder), nil, true},
		{"among the %w of one error", fmt.Errorf("%w: %w", boom, outOfOrder), nil, true},
		{"joined with another", errors.Join(outOfOrder, outOfOrder), nil, true},
		{"joined with a failure", errors.Join(outOfOrder, boom), nil, false},
		{"around ErrNoHandler", RetryOutOfOrder(ErrNoHandler), nil, true},
		{"after Timeout", outOfOrder, errTimedOut, true},
		{"after ShutdownTimeout", outOfOrder, ErrShutdown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if test.cause != nil {
				cancel(test.cause)
			}
			got := new(Worker).Decide(ctx, Claim{Attempt: 1}, test.err)
			if got.State != Waiting || got.RetryOutOfOrder != test.want {
				t.Errorf("Decide = %+v, want RetryOutOfOrder %t", got, test.want)
			}
		})
	}
	if got := new(Worker).Decide(t.Context(), Claim{Attempt: 15}, outOfOrder); got.State != Dead {
		t.Errorf("in the last attempt Decide = %+v, want dead", got)
	}
}

func TestPostponeAndRetryOutOfOrderOfNilAreNil(t *testing.T) {
	if err := Postpone(time.Second, nil); err != nil {
		t.Errorf("Postpone returned %v", err)
	}
	if err := RetryOutOfOrder(nil); err != nil {
		t.Errorf("RetryOutOfOrder returned %v", err)
	}
}

func TestAReceiverAnswersPostponeWith503(t *testing.T) {
	for _, why := range []error{errors.New("boom"), ErrIgnored, ErrNoHandler, ErrMalformed} { // none of it is done
		err := fmt.Errorf("call: %w", Postpone(90*time.Second, why))
		if got := StatusCode(err); got != http.StatusServiceUnavailable {
			t.Errorf("StatusCode = %d because of %v", got, why)
		}
		if got := retryAfterSeconds(err); got != "90" {
			t.Errorf("Retry-After is %s", got)
		}
	}
}

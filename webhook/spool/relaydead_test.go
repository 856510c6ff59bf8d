package spool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// malformed returns the error of a message that is no delivery.
func malformed() error { return new(webhook.Delivery).UnmarshalBinary([]byte("hello\n")) }

// unencodable returns the error of a delivery that no queue of bytes takes.
func unencodable() error {
	_, err := (&webhook.Delivery{UID: "\xff"}).MarshalBinary()
	return err
}

func TestRelayEndsOnlyWhatIsPermanentAsDead(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle func(ctx context.Context) error
		dead   bool
	}{
		{"a message that is no delivery", func(context.Context) error { return malformed() }, true},
		{"a delivery that cannot be encoded", func(context.Context) error { return unencodable() }, true},
		{"a malformed one that was not stored", func(context.Context) error { return fmt.Errorf("%w: %w", webhook.ErrNotStored, malformed()) }, true},
		{"a permanent error with a time for the next try", func(context.Context) error { return webhook.Permanent(webhook.RetryAfter(time.Second, errBoom)) }, true},
		{"two permanent errors", func(context.Context) error { return errors.Join(webhook.Permanent(errBoom), malformed()) }, true},
		{"a permanent error and another one", func(context.Context) error { return errors.Join(webhook.Permanent(errBoom), errBoom) }, false},
		{"the text of a permanent error", func(context.Context) error { return fmt.Errorf("%v", webhook.Permanent(malformed())) }, false},
		{"too large", func(context.Context) error { return webhook.ErrTooLarge }, false},
		{"not stored", func(context.Context) error { return webhook.ErrNotStored }, false},
		{"overloaded", func(context.Context) error { return webhook.ErrOverloaded }, false},
		{"unverified", func(context.Context) error { return webhook.ErrUnverified }, false},
		{"ignored for good", func(context.Context) error {
			return fmt.Errorf("%w: %w", webhook.ErrIgnored, webhook.Permanent(errBoom))
		}, false},
		{"postponed", func(context.Context) error { return webhook.Postpone(time.Second, errBoom) }, false},
		{"a lost claim", func(context.Context) error { return webhook.ErrClaimLost }, false},
		{"a panic with a permanent error", func(context.Context) error { panic(webhook.Permanent(errBoom)) }, false},
		{"a panic with a malformed one", func(context.Context) error { panic(malformed()) }, false},
		{"a goroutine that ends", func(context.Context) error { runtime.Goexit(); return nil }, false},
		{"a call without an answer", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, false},
	} {
		synctestRun(t, tt.name, func(t *testing.T) {
			from, works := &webhook.MemInbox{}, new(atomic.Bool)
			putDelivery(t, from, "1", keyed("key"))
			defer start(t, newRelay(from, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				if works.Load() {
					return nil
				}
				return tt.handle(ctx)
			})))()
			advance(20 * time.Minute)
			want := map[webhook.State]int{webhook.Dead: 1}
			if !tt.dead {
				if got := counts(t, from)[webhook.Dead]; got != 0 || pendingIn(t, from) != 1 {
					t.Errorf("after 20 minutes %d are dead and %d pending, want 0 and 1", got, pendingIn(t, from))
				}
				want = map[webhook.State]int{webhook.Done: 1}
			}
			works.Store(true)
			advance(time.Minute)
			if diff := cmp.Diff(want, counts(t, from)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A process that ends again and again, each time while the delivery is passed on alone,
// makes it dead for a Worker.
func TestRelayEndsNothingAsDeadIfItsProcessEnds(t *testing.T) {
	synctestRun(t, "sixty times", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &handlerLog{}
		putDelivery(t, from, "1", nil)
		for range 60 {
			claims, err := from.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second})
			if err != nil || len(claims) != 1 {
				t.Fatalf("%d claims, %v", len(claims), err)
			}
			if claims[0].Suspect {
				if _, err := from.Begin(t.Context(), claims[0]); err != nil {
					t.Fatal(err)
				}
			}
			advance(time.Second)
		}
		defer start(t, newRelay(from, to))()
		advance(time.Minute)
		if diff := cmp.Diff([]string{"1"}, to.calls()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1}, counts(t, from)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// What is malformed or unsigned is for the Worker of the target to judge.
func TestRelayPassesOnWhatIsMalformedOrUnsigned(t *testing.T) {
	synctestRun(t, "with the reasons", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &webhook.MemInbox{}
		putDelivery(t, from, "1", func(d *webhook.Delivery) { d.Malformed, d.Unsigned = "no ref", "read from an API" })
		defer start(t, newRelay(from, webhook.Store(to)))()
		advance(time.Second)
		claims, err := to.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil || len(claims) != 1 {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		if d := claims[0].Delivery; d.Malformed != "no ref" || d.Unsigned != "read from an API" {
			t.Errorf("Malformed %q, Unsigned %q", d.Malformed, d.Unsigned)
		}
	})
}

// refusesTypes is a Queue that cannot leave a type to others, without optional interfaces.
type refusesTypes struct{ webhook.Queue }

func (q refusesTypes) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if o.Types != nil {
		return nil, fmt.Errorf("all types or none: %w", errors.ErrUnsupported)
	}
	return q.Queue.Claim(ctx, o)
}

func TestRelayAsksForEveryType(t *testing.T) {
	synctestRun(t, "of a Queue that refuses Types", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &handlerLog{}
		putDelivery(t, from, "1", nil)
		putDelivery(t, from, "2", func(d *webhook.Delivery) { d.Type = "alpha.other" })
		defer start(t, newRelay(refusesTypes{from}, to))()
		advance(time.Minute)
		if got := to.calls(); len(got) != 2 {
			t.Errorf("calls %v, want 2", got)
		}
	})
}

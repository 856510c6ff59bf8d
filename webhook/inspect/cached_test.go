package inspect

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestACachedValueIsMadeOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cached[int]
		made := 0
		var fault error
		slow := func(context.Context) (int, error) {
			made++
			time.Sleep(time.Second)
			return made, fault
		}
		require := func(what string, wantValue int, wantErr error, wantMade int) {
			t.Helper()
			results := make(chan error, 10)
			for range 10 {
				go func() {
					v, err := c.get(t.Context(), time.Minute, slow)
					if err == nil && v != wantValue {
						t.Errorf("%s: %d, want %d", what, v, wantValue)
					}
					results <- err
				}()
			}
			began := time.Now()
			for range 10 {
				if err := <-results; !errors.Is(err, wantErr) {
					t.Errorf("%s: %v, want %v", what, err, wantErr)
				}
			}
			if took := time.Since(began); made != wantMade || took > time.Second {
				t.Errorf("%s: made %d times, want %d, in %v", what, made, wantMade, took)
			}
		}
		fault = errors.New("no store")
		require("a failure", 0, fault, 1)
		fault = nil
		require("after it", 2, nil, 2)
		require("soon after", 2, nil, 2)
		time.Sleep(time.Minute)
		require("much later", 3, nil, 3)
	})
}

// A store that hangs must not hold a viewer who has left, and that one must not spoil it
// for the others.
func TestAViewerWhoLeavesDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cached[string]
		slow := func(ctx context.Context) (string, error) {
			select {
			case <-time.After(5 * time.Second):
				return "numbers", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.get(ctx, time.Minute, slow); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the one who left: %v", err)
		}
		if v, err := c.get(t.Context(), time.Minute, slow); v != "numbers" || err != nil {
			t.Errorf("the next: %q, %v", v, err)
		}
	})
}

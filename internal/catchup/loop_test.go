package catchup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A rig runs a Loop whose rounds have the results of a list, and then nil.
type rig struct {
	loop    *catchup.Loop
	begun   time.Time
	mu      sync.Mutex
	at      []time.Duration // when the rounds began, since begun
	results []error
	log     strings.Builder // read when the Loop has ended
}

func newRig(results ...error) *rig { return &rig{loop: catchup.NewLoop(), results: results} }

func (r *rig) round(context.Context) (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Since(r.begun))
	if n := len(r.at); n <= len(r.results) {
		return 0, r.results[n-1]
	}
	return 0, nil
}

// run runs the Loop for d of fake time and returns when its rounds began.
func (r *rig) run(t *testing.T, d time.Duration, s catchup.Settings) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r.begun = time.Now()
	s.Logger = slog.New(slog.NewTextHandler(&r.log, nil))
	if s.Round == nil {
		s.Round = r.round
	}
	done := make(chan error)
	go func() { done <- r.loop.Run(ctx, s) }()
	catchuptest.Advance(d)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	return r.at
}

var (
	errDenied  = errors.New("denied")
	errServer  = errors.New("server")
	errLimited = errors.New("limited")
)

func TestALookIsMadeAtTheStartAndWhenItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		for range 10 {
			r.loop.Look() // the look at the start does not answer these: they are one more
		}
		time.AfterFunc(time.Hour, r.loop.Look)
		got := r.run(t, 10*time.Hour, catchup.Settings{})
		if diff := cmp.Diff([]time.Duration{0, 5 * time.Second, time.Hour + 5*time.Second}, got); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
	})
}

func TestEveryMakesLooksThatAreSpreadByTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var firsts []time.Duration
		for n := range 100 {
			got := newRig().run(t, time.Hour, catchup.Settings{Every: 10 * time.Minute, Key: fmt.Sprint("key ", n)})
			if len(got) != 7 {
				t.Fatalf("%d looks in an hour, want that of the start and six", len(got))
			}
			for i := 2; i < len(got); i++ {
				if d := got[i] - got[i-1]; d != 10*time.Minute {
					t.Errorf("%v between two looks", d)
				}
			}
			firsts = append(firsts, got[1])
		}
		slices.Sort(firsts)
		for n := 9; n < len(firsts); n++ {
			if d := firsts[n] - firsts[n-9]; d < time.Second {
				t.Errorf("ten looks within %v", d)
			}
		}
	})
}

func TestTheWaitsAfterErrors(t *testing.T) {
	wrapped := fmt.Errorf("list: %w", errDenied)
	for _, tt := range []struct {
		name    string
		results []error
		want    []time.Duration // between the rounds
	}{
		{"doubled", []error{errServer, errServer, errServer}, []time.Duration{5, 10, 20}},
		{"slow", []error{wrapped, wrapped, wrapped}, []time.Duration{60, 120, 240}},
		{"from the start after a success", []error{errServer, errServer, nil, errServer}, []time.Duration{5, 10, 10 * 60, 5}},
		{"the time of a limit", []error{errServer, errLimited, errServer}, []time.Duration{5, 100, 10}},
		{"up to five minutes", slices.Repeat([]error{errServer}, 9), []time.Duration{5, 10, 20, 40, 80, 160, 300, 300, 300}},
		{"up to thirty minutes", slices.Repeat([]error{errDenied}, 7), []time.Duration{60, 120, 240, 480, 960, 1800, 1800}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(tt.results...)
				got := r.run(t, 3*time.Hour, catchup.Settings{
					Slow: []error{errDenied},
					Until: func(err error) (time.Time, bool) {
						return time.Now().Add(100 * time.Second), errors.Is(err, errLimited)
					},
					Ended: func(err error) {
						if err == nil { // the next round is asked for
							time.AfterFunc(10*time.Minute-5*time.Second, r.loop.Look)
						}
					},
				})
				var between []time.Duration
				for n := range tt.want {
					between = append(between, (got[n+1]-got[n])/time.Second)
				}
				if diff := cmp.Diff(tt.want, between); diff != "" {
					t.Errorf("seconds between the rounds (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestLookDoesNotShortenTheWaitAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(errDenied)
		time.AfterFunc(time.Second, r.loop.Look)
		got := r.run(t, time.Hour, catchup.Settings{Slow: []error{errDenied}})
		if diff := cmp.Diff([]time.Duration{0, time.Minute, time.Minute + 5*time.Second}, got); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
	})
}

func TestAProblemIsLoggedOnceUntilItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(errServer, fmt.Errorf("another text: %w", errServer), errDenied, errors.New("a"), errors.New("b"), nil, nil, errServer)
		logged := 0
		r.run(t, 3*time.Hour, catchup.Settings{
			Target: []any{"hook", "it"}, Kinds: []error{errServer, errDenied},
			Round: func(ctx context.Context) (time.Duration, error) {
				if r.loop.Logged(errServer) {
					logged++
				}
				_, err := r.round(ctx)
				return time.Minute, err
			},
		})
		if n := strings.Count(r.log.String(), "catch-up fails, and is tried again"); n != 4 {
			t.Errorf("%d problems are logged, want 4", n)
		}
		if n := strings.Count(r.log.String(), "catch-up works again\" hook=it"); n != 2 {
			t.Errorf("it works again %d times, want 2", n)
		}
		if logged != 3 {
			t.Errorf("Logged was true %d times, want 3", logged)
		}
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
}

func TestRunOfARunningLoopIsErrRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		begins := 0
		for range 2 {
			time.AfterFunc(time.Minute, func() {
				if err := r.loop.Run(t.Context(), catchup.Settings{Begin: func() { t.Error("Begin was called") }}); !errors.Is(err, webhook.ErrRunning) {
					t.Errorf("Run returned %v, want ErrRunning", err)
				}
			})
			r.run(t, time.Hour, catchup.Settings{Begin: func() { begins++ }})
		}
		if begins != 2 {
			t.Errorf("Begin was called %d times, want 2", begins)
		}
	})
}

func TestEveryIsZeroOrAtLeastAMinute(t *testing.T) {
	for _, allowed := range []time.Duration{0, time.Minute, time.Hour} {
		if err := catchup.CheckEvery(allowed); err != nil {
			t.Errorf("%v is refused: %v", allowed, err)
		}
	}
	for _, refused := range []time.Duration{time.Minute - 1, 1, -time.Hour} {
		if catchup.CheckEvery(refused) == nil {
			t.Errorf("%v is allowed", refused)
		}
	}
}

func TestARoundMayWaitForTheNextTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		got := r.run(t, 24*time.Hour, catchup.Settings{Every: time.Hour, Key: "it", Round: func(ctx context.Context) (time.Duration, error) {
			_, err := r.round(ctx)
			return r.loop.UntilTurn(), err
		}})
		if len(got) != 25 || got[24]-got[1] != 23*time.Hour {
			t.Errorf("rounds at %v, want one each hour", got)
		}
		if wait := catchup.NewLoop().UntilTurn(); wait != 0 {
			t.Errorf("without Every it is %v, want 0", wait)
		}
	})
}

func TestARoundKnowsThatItIsMadeOnlyToTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var got []string
		time.AfterFunc(2*time.Minute, r.loop.Look)
		r.run(t, 20*time.Minute, catchup.Settings{
			Every: 10 * time.Minute, Key: "it", Slow: []error{errDenied}, Beside: []error{errDenied},
			Round: func(ctx context.Context) (time.Duration, error) {
				turn := r.loop.UntilTurn() == 10*time.Minute
				got = append(got, fmt.Sprint(turn, " ", r.loop.Again()))
				return 0, errDenied
			},
		})
		want := []string{
			"false false", // the first
			"false true",  // after one minute
			"false false", // by Look
		}
		if len(got) < 5 || !slices.Equal(got[:3], want) || !slices.Contains(got, "true false") || slices.Contains(got, "true true") {
			t.Errorf("a turn, and only to try again: %q, want first %q, and each turn not only for that", got, want)
		}
	})
}

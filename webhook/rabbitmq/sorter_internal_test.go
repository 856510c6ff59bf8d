package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook"
)

// newTestSession returns a session without a server.
func newTestSession(prefetch int) *session {
	c := NewConsumer(func(context.Context) (*amqp.Connection, error) { return nil, errors.ErrUnsupported }, "hooks")
	c.session = newSession(c, &link{conn: new(amqp.Connection)}, nil, prefetch)
	return c.session
}

// message returns a message of one ordering key as the server gives it out.
func message(t *testing.T, uid string, published int64, again bool) *amqp.Delivery {
	t.Helper()
	d := webhook.NewDelivery("acme", "acme.push", "k", nil)
	d.UID = uid
	raw, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return &amqp.Delivery{Body: raw, Redelivered: again, Headers: amqp.Table{publishedHeader: published}}
}

// claimable returns the UIDs of what can be claimed, in order. Their ends go to no server.
func (s *session) claimable(t *testing.T) string {
	t.Helper()
	var uids []string
	for {
		claims, err := s.memory.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) == 0 {
			return strings.Join(uids, " ")
		}
		uids = append(uids, claims[0].Delivery.UID)
		if _, err := s.memory.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatComesAgainIsSorted(t *testing.T) {
	for _, test := range []struct {
		name string
		take []string // each is its UID and the time of publishing; a + for a message that comes the first time
		want string
	}{
		{"by the time of publishing", []string{"c 3", "a 1", "b 2", "n 9 +"}, "a b c n"},
		{"by the UID if the times are equal", []string{"c 1", "a 1", "b 1", "n 1 +"}, "a b c n"},
		{"the time before the UID", []string{"a 2", "z 1", "n 3 +"}, "z a n"},
		{"what comes the first time is not sorted", []string{"c 3 +", "a 1 +", "b 2 +"}, "c a b"},
		{"nor does it go before what came again", []string{"c 3", "a 1 +"}, "c a"},
		{"what comes again later", []string{"c 3", "n 9 +", "b 2", "a 1", "m 10 +"}, "c n a b m"},
		{"what is not followed yet waits", []string{"n 9 +", "b 2", "a 1"}, "n"},
	} {
		s := newTestSession(256)
		r := &sorter{s: s}
		for _, m := range test.take {
			var uid, first string
			var published int64
			_, _ = fmt.Sscan(m, &uid, &published, &first) // first may be missing
			s.take(message(t, uid, published, first == ""), r)
		}
		if got := s.claimable(t); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWhatComesAgainIsCompleteWhenTheQueueIsEmpty(t *testing.T) {
	const never = -1
	away := errors.New("away")
	for _, test := range []struct {
		name     string
		prefetch int
		ready    []int // at each check; the last one goes on; never: away
		more     int   // another message comes before this check
		checks   int   // until all is claimable
		err      error
	}{
		{"empty twice after it is quiet", 256, []int{0}, never, 3, nil},
		{"one check between is not empty", 256, []int{0, 5, 0}, never, 5, nil},
		{"another message comes", 256, []int{0}, 2, 5, nil},
		{"the session is full and the queue is not empty", 2, []int{5}, never, 2, errMore},
		{"the session is full and the queue is empty", 2, []int{0}, never, 3, nil},
		{"the server does not answer", 256, []int{never}, never, 2, away},
		{"the queue is never empty", 256, []int{5}, never, int(maxSort/idleCheck) + 1, nil},
		{"full as can be", maxPrefetch, []int{5}, never, int(maxSort/idleCheck) + 1, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestSession(test.prefetch)
			asked := 0
			r := &sorter{s: s, ready: func(context.Context) (int, error) {
				n := test.ready[min(asked, len(test.ready)-1)]
				if asked++; n == never {
					return 0, away
				}
				return n, nil
			}}
			s.take(message(t, "b", 2, true), r)
			s.take(message(t, "a", 1, true), r)
			for i := range test.checks {
				if got := s.c.Took("a"); got {
					t.Fatalf("%s: it is claimable after %d checks", test.name, i)
				}
				if i == test.more {
					s.take(message(t, "c", 3, true), r)
				}
				time.Sleep(idleCheck) // of the bubble
				if err := r.check(t.Context()); err != nil {
					if i == test.checks-1 && errors.Is(err, test.err) {
						return
					}
					t.Fatalf("%s: check %d: %v", test.name, i, err)
				}
			}
			want := "a b"
			if test.more != never {
				want = "a b c"
			}
			if got := s.claimable(t); got != want || test.err != nil {
				t.Errorf("%s: got %q, want %q and %v", test.name, got, want, test.err)
			}
		})
	}
}

func TestNoTwoClaimsHaveOneFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock does not move: the fences go on without it
		s := newTestSession(256)
		r := &sorter{s: s}
		s.take(message(t, "a", 1, false), r)
		var fences []int64
		for range 3 * fencesPerMessage {
			claims, err := s.c.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
			if err != nil || len(claims) != 1 {
				t.Fatal(claims, err)
			}
			fences = append(fences, claims[0].Fence)
			if _, err := s.c.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Waiting}); err != nil {
				t.Fatal(err)
			}
		}
		s.take(message(t, "b", 2, false), r)
		if got, last := s.held["b"].fence, slices.Max(fences); got < last {
			t.Errorf("the fences of the next message begin at %d, those of the one before end at %d", got, last)
		}
	})
}

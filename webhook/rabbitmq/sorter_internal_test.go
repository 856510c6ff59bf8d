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
	c.session = newSession(c, &link{conn: new(amqp.Connection), retired: true}, nil, prefetch)
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

func TestWhatComesAgainIsCompleteWhenAMarkerComes(t *testing.T) {
	taken, silent := error(nil), context.DeadlineExceeded
	refused, denied := errors.New("the server lacks disk"), notConnected(&amqp.Error{Code: amqp.AccessRefused})
	away := notConnected(errors.New("no route"))
	const second = int(time.Second / idleCheck)
	for _, test := range []struct {
		name     string
		prefetch int
		markers  []error // what comes of each marker; the last one goes on
		comes    bool    // a marker that is taken comes 2 checks later
		checks   int     // the one after which all is claimable; 0 for none in 20 s
		err      error   // of that check
	}{
		{"the marker comes", 256, []error{taken}, true, 4, nil},
		{"the marker does not come yet: there may be more before it", 256, []error{taken}, false, 0, nil},
		{"the server takes no marker at first", 256, []error{refused, taken}, true, 25, nil},
		{"the server takes no marker", 256, []error{refused}, false, 601, nil},
		{"the Consumer must not publish", 256, []error{denied}, false, 601, nil},
		{"the queue has no leader for ten minutes", 256, append(slices.Repeat([]error{silent}, 60), taken), true, 600*second + 4, nil},
		{"the server of the markers is away for longer", 256, append(slices.Repeat([]error{away}, 2000), taken), true, 2004, nil},
		{"the session is full", 2, []error{taken}, false, 2, errMore},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestSession(test.prefetch)
			asked, sent := 0, 0
			r := &sorter{s: s, mark: func(ctx context.Context) error {
				err := test.markers[min(asked, len(test.markers)-1)]
				asked++
				switch {
				case err == silent:
					<-ctx.Done()
				case err == nil:
					sent++
				}
				return err
			}}
			s.take(message(t, "b", 2, true), r)
			s.take(message(t, "a", 1, true), r)
			checks, arriving := 0, 0
			var err error
			for checks < max(test.checks, 20*second)+10 && err == nil && len(r.waiting) > 0 {
				<-time.After(idleCheck)
				synctest.Wait()
				if sent > 0 && test.comes {
					if arriving++; arriving == 2 {
						s.take(&amqp.Delivery{ContentType: markerContentType}, r)
					}
				}
				err = r.check(t.Context())
				checks++
			}
			want := "a b"
			switch {
			case test.checks == 0:
				checks, want = 0, ""
			case test.err != nil:
				want = ""
			}
			if checks != test.checks || !errors.Is(err, test.err) {
				t.Errorf("%s: %d checks and %v, want %d and %v", test.name, checks, err, test.checks, test.err)
			}
			if got := s.claimable(t); got != want {
				t.Errorf("%s: got %q, want %q", test.name, got, want)
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

package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// All hooks of a Client share its pace.
func TestRequestsAreMadeOneAtATimeAndRedeliveriesASecondApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(10)
		var busy atomic.Int64
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if busy.Add(1) > 1 {
				t.Error("two requests at once")
			}
			defer busy.Add(-1)
			<-time.After(10 * time.Millisecond) // fake time, in which another request would come
			return webhooktest.InMemory(g.gh).RoundTrip(r)
		})
		defer g.start(g.catchUp())()
		for n := range 5 {
			defer g.start(g.catchUpOf(int64(100 + n)))()
		}
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		var last time.Time
		for _, r := range g.gh.Requests() {
			if r.Method != http.MethodPost {
				continue
			}
			if r.At.Sub(last) < time.Second {
				t.Errorf("a redelivery was asked for %v after another", r.At.Sub(last))
			}
			last = r.At
		}
		if last.IsZero() {
			t.Error("no redelivery was asked for")
		}
	})
}

// GitHub lists a call when it has ended: one that takes ten seconds is listed after a later
// one that was quicker.
func TestACallThatIsListedLateIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		var calls atomic.Int64
		up := g.gh.Transport
		g.gh.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if calls.Add(1) == 1 {
				<-r.Context().Done() // no answer
				return nil, r.Context().Err()
			}
			return up.RoundTrip(r)
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.send(1)
		}()
		c.Look() // five seconds before it looks
		catchuptest.Advance(3 * time.Second)
		late := g.gh.Send(t.Context(), hookPath, "issues", []byte(`{"action":"labeled"}`))
		catchuptest.Advance(3 * time.Second)
		if upto := c.Status().Upto; !upto.Equal(late.DeliveredAt) {
			t.Errorf("the look came to %v, want %v", upto, late.DeliveredAt)
		}
		<-done
		catchuptest.Advance(time.Minute)
		c.Look()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// An API that pages in a circle costs no more than the circle.
func TestPagesThatComeAgainEndTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		next := map[string]string{"": "a", "a": "b", "b": "a"}
		asked := 0
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			asked++
			if asked > 20 {
				return nil, errors.New("too many requests")
			}
			return webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", fmt.Sprintf(`<https://api.github.com/x?cursor=%s>; rel="next"`, next[r.URL.Query().Get("cursor")]))
				_, _ = w.Write([]byte(`[{"id":1,"guid":"g","delivered_at":"2030-01-01T00:00:00Z","event":"push"}]`))
			})).RoundTrip(r)
		})
		c := g.catchUp()
		stop := g.start(c)
		catchuptest.Advance(time.Second)
		stop()
		if err := c.Status().Err; asked > 3 || !errors.Is(err, github.ErrAnswer) {
			t.Errorf("%d requests, %v, want 3 and ErrAnswer", asked, err)
		}
	})
}

package github_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// spoilOldest is a transport that takes a field from the oldest entry of each list while bad is
// set, or gives it a value of another type.
func (g *catchUpRig) spoilOldest(bad *atomic.Bool, field string, value any) catchuptest.Transport {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := webhooktest.InMemory(g.gh).RoundTrip(r)
		if err != nil || !bad.Load() || !strings.HasSuffix(r.URL.Path, "/deliveries") || resp.StatusCode != 200 {
			return resp, err
		}
		var list []map[string]any
		in := json.NewDecoder(resp.Body)
		in.UseNumber()
		if err := in.Decode(&list); err != nil {
			return nil, err
		}
		if len(list) > 0 {
			list[len(list)-1][field] = value
		}
		text, err := json.Marshal(list)
		resp.Header.Del("ETag")
		resp.Body = io.NopCloser(bytes.NewReader(text))
		return resp, err
	}
}

func TestAnEntryThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	for field, value := range map[string]any{"guid": nil, "id": "seven", "delivered_at": "yesterday"} {
		t.Run(field, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(5)
				var bad atomic.Bool
				bad.Store(true)
				g.client.Transport = g.spoilOldest(&bad, field, value)
				c := g.catchUp()
				defer g.start(c)()
				catchuptest.Advance(20 * time.Minute)
				if n := g.missing(); n != 1 {
					t.Errorf("%d of 5 events have not run, want that which cannot be read", n)
				}
				if err := c.Status().Err; !errors.Is(err, github.ErrAnswer) {
					t.Errorf("got %v, want ErrAnswer", err)
				}
				g.wantSaid(1, "catch-up fails")
				catchuptest.Advance(24 * time.Hour)
				bad.Store(false)
				catchuptest.Advance(20 * time.Minute)
				g.wantAllRun()
			})
		})
	}
}

// A list that ends without saying where it goes on has more.
func TestANextPageWithoutACursorEndsTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.client.Transport = webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `<https://api.github.com/x?page=2>; rel="next"`)
			_, _ = w.Write([]byte(`[]`))
		}))
		c := g.catchUp()
		stop := g.start(c)
		catchuptest.Advance(time.Second)
		stop()
		if err := c.Status().Err; !errors.Is(err, github.ErrAnswer) {
			t.Errorf("got %v, want ErrAnswer", err)
		}
	})
}

// GitHub fails for one delivery, the oldest, whatever is asked of it.
func TestADeliveryThatTheServerFailsForHoldsUpNoOther(t *testing.T) {
	for how, readAPI := range map[string]bool{"by redelivery": false, "by the API": true} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.outage(g.catchUp(), 30, catchuptest.Refused)
				list := g.gh.Deliveries(hookPath) // 30 that were missed, and three before
				path := fmt.Sprintf("/deliveries/%d/", list[29].ID)
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if strings.Contains(r.URL.Path+"/", path) {
						g.gh.Fail(1, githubtest.Failure{Status: http.StatusInternalServerError})
					}
					return webhooktest.InMemory(g.gh).RoundTrip(r)
				})
				c := g.catchUp()
				c.ReadAPI = readAPI
				defer g.start(c)()
				catchuptest.Advance(30 * time.Minute)
				if n := g.missing(); n != 1 {
					t.Errorf("%d of 33 events have not run, want one", n)
				}
				if !errors.Is(c.Status().Err, github.ErrServer) {
					t.Errorf("got %v, want ErrServer", c.Status().Err)
				}
			})
		})
	}
}

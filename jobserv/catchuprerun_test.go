package jobserv_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Between the list and the detail a build may run again: the completion that was missing
// cannot be had any more.
func TestABuildThatRunsAgainMeanwhileIsLostAndFollowed(t *testing.T) {
	for name, ends := range map[string]bool{"and runs": false, "and is complete": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(2)
				g.net.Set(catchuptest.Each(catchuptest.Refused))
				up := g.client.Transport
				again := false
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "/builds/2/") && !again {
						again = true
						g.ci.Rerun(project, 2)
						if ends {
							<-time.After(10 * time.Second)
							g.finish(2)
						}
					}
					return up.RoundTrip(r)
				})
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(time.Minute)
				if s := c.Status(); s.Found != 2 || s.Lost != 1 || s.Settled != 1 || s.Missing != 0 || s.Err != nil {
					t.Errorf("status %+v, want one lost", s)
				}
				g.wantSaid(1, "is lost")
				if !ends {
					g.finish(2)
					catchuptest.Advance(time.Minute)
					c.Look()
					catchuptest.Advance(time.Minute)
				}
				g.sent = append(g.sent[:1], g.sent[2:]...) // without the completion that is lost
				g.wantAllRun()
			})
		})
	}
}

// If workers and callers of the API use the same address, a catch-up has the bytes of the call.
func TestACatchUpHasTheBytesOfTheCall(t *testing.T) {
	for _, name := range []string{"demo", "acme/lmp", "acme/na\u00efve app"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secret := webhook.NewSecret("hook secret")
				var sent []byte
				lost := catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					sent, _ = io.ReadAll(r.Body)
					return webhooktest.InMemory(answering(200, "")).RoundTrip(r.Clone(r.Context()))
				})
				ci := &jobservtest.Server{Transport: lost, URL: api}
				ci.AddProject(name, jobservtest.Hook{URL: "http://receiver/", Secret: secret})
				id := ci.Start(name)
				ci.Describe(name, id, "na\u00efve\n\u2028\U0001f600", "build-main", "<b>&")
				catchuptest.Advance(time.Minute + 5*time.Millisecond)
				ci.Finish(t.Context(), name, id, jobserv.Failed)
				catchuptest.Advance(time.Minute)
				client := newClient(token, api)
				client.Transport = webhooktest.InMemory(ci)
				inbox := &webhook.MemInbox{Logger: catchuptest.Quiet()}
				c := jobserv.NewCatchUp(client, name, jobserv.Source(secret), inbox)
				c.Since, c.Logger = time.Now().Add(-time.Hour), catchuptest.Quiet()
				g := &catchUpRig{t: t, inbox: inbox, log: new(catchuptest.Log), ran: make(map[string]int), half: make(map[string]int)}
				stop := g.run(c)
				catchuptest.Advance(time.Second)
				stop()
				for r, err := range inbox.All(t.Context(), webhook.Filter{Bodies: true}) {
					if err != nil || !bytes.Equal(r.Delivery.Body, sent) || r.Delivery.OrderingKey != name || len(r.Delivery.DedupKeys) != 2 {
						t.Errorf("%v: %v, keys %q:\n%s\nwant\n%s", err, r.Delivery.LogValue(), r.Delivery.DedupKeys, r.Delivery.Body, sent)
					}
				}
				if s := c.Status(); s.Stored != 1 {
					t.Errorf("status %+v, want one stored", s)
				}
			})
		})
	}
}

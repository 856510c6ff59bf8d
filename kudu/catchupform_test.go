package kudu_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// caughtUp returns what a catch-up finds that begins in the year 2000.
func (g *catchUpRig) caughtUp(change func(c *kudu.CatchUp)) []*webhook.Delivery {
	g.t.Helper()
	c := g.catchUp()
	c.Since = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if change != nil {
		change(c)
	}
	stop := g.start(c)
	catchuptest.Advance(time.Minute)
	stop()
	return g.last
}

// The delivery of a catch-up is what the call is, apart from two members that the API does not
// have.
func TestACatchUpHasTheFormOfTheCall(t *testing.T) {
	for name, body := range fixtures(t) {
		d := open(t, body)
		if len(d.DedupKeys) == 0 || strings.Contains(name, "api-") || strings.Contains(name, "wiki-without") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t, kudu.Deployments())
				if d.Type == "kudu.TriggeredJobFinished" {
					run := decode[kudu.TriggeredJobRun](t, body)
					g = newCatchUpRig(t, kudu.TriggeredJob(run.JobName))
					g.site.RecordRun(run)
				} else {
					g.site.Record(decode[kudu.Deployment](t, body))
				}
				host := decode[kudu.Deployment](t, body).HostName
				if d.Type == "kudu.TriggeredJobFinished" {
					host = decode[kudu.TriggeredJobRun](t, body).Host()
				}
				got := g.caughtUp(func(c *kudu.CatchUp) {
					if host != "" {
						c.Hosts = []string{host}
					}
				})
				if len(got) != 1 || got[0].Unsigned == "" || got[0].Type != d.Type {
					t.Fatalf("%d deliveries, %+v", len(got), got)
				}
				want, have := camel(asMap(t, body)), asMap(t, got[0].Body)
				for _, m := range []map[string]any{want, have} { // an empty text may be absent
					maps.DeleteFunc(m, func(_ string, v any) bool { return v == "" })
				}
				for _, member := range []string{"projectType", "vsProjectId"} {
					delete(want, member)
				}
				if d.Type == "kudu.TriggeredJobFinished" { // the host by which the site is called
					delete(want, "url")
					delete(have, "url")
				}
				if host == "" {
					delete(have, "hostName")
				}
				if diff := cmp.Diff(want, have); diff != "" {
					t.Errorf("(-call +catch-up):\n%s", diff)
				}
				if err := g.inbox.Put(t.Context(), d); !webhook.IsDuplicate(err) {
					t.Errorf("the call is stored beside its catch-up: %v", err)
				}
			})
		})
	}
}

// camel returns a deployment with the names that Kudu sends.
func camel(m map[string]any) map[string]any {
	sent := make(map[string]any)
	for name, value := range m {
		name = strings.NewReplacer("is_temp", "isTemporary", "is_readonly", "isReadOnly", "vsproject_id", "vsProjectId").Replace(name)
		if _, isJob := m["job_name"]; !isJob {
			words := strings.Split(name, "_")
			for i, w := range words[1:] {
				words[i+1] = strings.ToUpper(w[:1]) + w[1:]
			}
			name = strings.Join(words, "")
		}
		sent[name] = value
	}
	return sent
}

// The answer of the API in testdata is the call in testdata.
func TestAnAnswerOfTheAPIIsConverted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.client = clientOf(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "[%s]", fixture(t, "deployment.api-answer.json"))
		}))
		got := g.caughtUp(nil)
		if len(got) != 1 {
			t.Fatalf("%d deliveries\n%s", len(got), g.log.String())
		}
		want := asMap(t, fixture(t, "deployment.camel.failed-first.json"))
		want["statusText"], want["isReadOnly"], want["hostName"] = "", true, appHost
		if diff := cmp.Diff(want, asMap(t, got[0].Body)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got[0].OrderingKey != appHost || got[0].Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("ordering key %q, header %v", got[0].OrderingKey, got[0].Header)
		}
	})
}

func TestWithoutAHostTheOrderingKeyIsTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.site.Record(g.deployment("9f2c", kudu.StatusSuccess))
		got := g.caughtUp(func(c *kudu.CatchUp) { c.Hosts = []string{""} })
		if len(got) != 1 || got[0].OrderingKey != "app" || strings.Contains(string(got[0].Body), "hostName") {
			t.Errorf("%d deliveries, %+v", len(got), got)
		}
	})
}

// The hook's URL names the site and the tenant.
func TestTheSiteOfTheHooksURLIsThatOfTheCatchUp(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(2)
		var mu sync.Mutex
		var scopes []string
		src := source()
		src.Scope = func(r *http.Request) string {
			mu.Lock()
			defer mu.Unlock()
			scopes = append(scopes, r.PathValue("site"))
			return "tenant of " + r.PathValue("site")
		}
		c := kudu.NewCatchUp(g.client, g.target, src, g.inbox)
		c.Site, c.Logger, c.Since = "Shop", catchuptest.Quiet(), time.Unix(1, 0)
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		n := 0
		for _, d := range g.last {
			if d.Unsigned == "" {
				continue
			}
			n++
			if !strings.HasPrefix(d.DedupKeys[0], "tenant of Shop|") || !strings.HasPrefix(d.OrderingKey, "tenant of Shop|") {
				t.Errorf("dedup keys %q, ordering key %q", d.DedupKeys, d.OrderingKey)
			}
		}
		if n == 0 || len(scopes) == 0 || scopes[0] != "Shop" {
			t.Errorf("%d were found, scopes of %q", n, scopes)
		}
	})
}

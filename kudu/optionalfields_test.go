package kudu_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// identifying lists the members that the ordering key and the dedup keys depend
// on.
var identifying = map[string][]string{
	"kudu.PostDeployment": {
		"id", "status", "endTime", "end_time", "siteName", "site_name", "hostName", "host_name",
		"receivedTime", "received_time", "startTime", "start_time",
	},
	"kudu.TriggeredJobFinished": {"id", "status", "end_time", "url", "job_name"},
}

// required returns the members that a body must have to get its type: id and
// status for a deployment, or id and receivedTime for a pending one, and
// job_name for a run. Answers of the WebJobs API, which the wiki shows and no
// hook sends, have no job_name.
func required(name, typ string) []string {
	switch {
	case strings.Contains(name, "without-name"):
		return []string{"id", "duration"}
	case typ == "kudu.TriggeredJobFinished":
		return []string{"job_name"}
	case strings.Contains(name, "pending"), strings.Contains(name, "never-set"):
		return []string{"id", "receivedTime"}
	default:
		return []string{"id", "status"}
	}
}

func TestTypeDoesNotDependOnOptionalFields(t *testing.T) {
	for name, body := range fixtures(t) {
		typ := typeOf(name)
		if typ == "kudu.unknown" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			whole := open(t, body)
			if whole.Type != typ {
				t.Fatalf("whole: got %s, want %s", whole.Type, typ)
			}
			members := slices.Sorted(maps.Keys(asMap(t, body)))
			for _, member := range members {
				d := open(t, without(t, body, member))
				if d.Type != typ && !(member == "id" && strings.Contains(name, "without-name")) {
					t.Errorf("without %s: got %s, want %s", member, d.Type, typ)
				}
				if slices.Contains(identifying[typ], member) {
					continue
				}
				if diff := cmp.Diff([]string{whole.OrderingKey, strings.Join(whole.DedupKeys, "")}, []string{d.OrderingKey, strings.Join(d.DedupKeys, "")}); diff != "" {
					t.Errorf("without %s: key and dedup key (-whole +stripped):\n%s", member, diff)
				}
				if err := decodeByType(d); err != nil {
					t.Errorf("without %s: %v", member, err)
				}
			}
			stripped := without(t, body, slices.DeleteFunc(members, func(m string) bool { return slices.Contains(required(name, typ), m) })...)
			if d := open(t, stripped); d.Type != typ {
				t.Errorf("%s: got %s, want %s", stripped, d.Type, typ)
			}
		})
	}
}

func TestDeploymentOfTheWikiReachesItsCallback(t *testing.T) {
	for _, tc := range []struct {
		written any
		want    kudu.Status
	}{
		{"pending", kudu.StatusPending}, {"building", kudu.StatusBuilding}, {"deploying", kudu.StatusDeploying},
		{"failed", kudu.StatusFailed}, {"success", kudu.StatusSuccess},
		{0, kudu.StatusPending}, {1, kudu.StatusBuilding}, {2, kudu.StatusDeploying}, {3, kudu.StatusFailed}, {4, kudu.StatusSuccess},
	} {
		m := asMap(t, fixture(t, "deployment.snake.wiki-without-site.json"))
		m["status"] = tc.written
		var got []kudu.Status
		var mux webhook.Mux
		webhook.On(&mux, func(_ context.Context, e *webhook.Event[kudu.Deployment]) error {
			got = append(got, e.Payload.Status)
			return nil
		})
		w := httptest.NewRecorder()
		webhook.NewReceiver(source(), &mux).ServeHTTP(w, call("/?token="+token, string(encode(t, m))))
		if diff := cmp.Diff([]kudu.Status{tc.want}, got); diff != "" || w.Code != http.StatusAccepted {
			t.Errorf("%v: answered %d, the callback saw (-want +got):\n%s", tc.written, w.Code, diff)
		}
	}
}

func TestDedupOfDeploymentsWithoutSite(t *testing.T) {
	first := string(fixture(t, "deployment.snake.wiki-without-site.json"))
	replaced := func(old, now string) string {
		body := strings.Replace(first, old, now, 1)
		if body == first {
			t.Fatalf("no %s in the body", old)
		}
		return body
	}
	putAll(t, []putResult{
		{"the first", first, false},
		{"the same again", first, true},
		{"deployed again", replaced("05:07:00.25Z", "06:07:00.25Z"), false},
		{"another id", replaced("9f2c4f3c", "9f2c4f3d"), false},
		{"another end in status", replaced(`"success"`, `"failed"`), false},
	})
	// A pending deployment has no dedup key: the next one may have the same
	// body.
	pending := string(without(t, []byte(first), "end_time", "status"))
	putAll(t, []putResult{{"pending", pending, false}, {"pending once more", pending, false}})
}

type putResult struct {
	name, body string
	duplicate  bool
}

// putAll puts bodies into an inbox in order and checks which are duplicates.
func putAll(t *testing.T, all []putResult) {
	t.Helper()
	var inbox webhook.MemInbox
	for _, tc := range all {
		err := inbox.Put(t.Context(), open(t, []byte(tc.body)))
		if errors.Is(err, webhook.ErrDuplicate) != tc.duplicate || err != nil && !tc.duplicate {
			t.Errorf("%s: got %v, want a duplicate: %v", tc.name, err, tc.duplicate)
		}
	}
}

func TestRunsWithTheSameIDAtTwoSitesAreStored(t *testing.T) {
	const run = `{"id":"20260304050607","status":"Success","end_time":"2026-03-04T05:07:07Z","job_name":"import","url":"https://%.scm.example/x"}`
	a, b := strings.Replace(run, "%", "a", 1), strings.Replace(run, "%", "b", 1)
	putAll(t, []putResult{{"site a", a, false}, {"site b", b, false}, {"site a again", strings.Replace(a, "//a", "//A", 1), true}})
	// Without a site and a job name, runs cannot be distinguished.
	const nameless = `{"id":"20260304050607","status":"Success","end_time":"2026-03-04T05:07:07Z","duration":"00:01:00"}`
	putAll(t, []putResult{{"no name", nameless, false}, {"no name, another job", nameless, false}})
}

package kudu_test

import (
	"context"
	"encoding/json"
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

// without returns a body less some of its members.
func without(t testing.TB, body []byte, names ...string) []byte {
	t.Helper()
	m := asMap(t, body)
	for _, name := range names {
		delete(m, name)
	}
	return encode(t, m)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// identifying are the members that the key or the dedup key is made of, where
// they are told.
var identifying = map[string][]string{
	"kudu.PostDeployment":       {"id", "status", "endTime", "end_time", "siteName", "site_name", "hostName", "host_name"},
	"kudu.TriggeredJobFinished": {"id", "status", "end_time", "url", "job_name"},
}

// required are the members that are never missing: of a deployment the id and
// the status, in place of which a pending one has the time at which it was
// received; of a run the name of its job. Answers of the WebJobs API, which the
// wiki shows and no hook sends, have no such name.
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

func TestEveryDocumentedBodyRoutesToItsTypeWholeAndStripped(t *testing.T) {
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

func TestTheWikisDeploymentReachesItsCallbackWithEachStatus(t *testing.T) {
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

func TestADeploymentWithoutSiteIsKnownAgainByIDStatusAndEnd(t *testing.T) {
	first := string(fixture(t, "deployment.snake.wiki-without-site.json"))
	replaced := func(old, now string) string {
		body := strings.Replace(first, old, now, 1)
		if body == first {
			t.Fatalf("no %s in the body", old)
		}
		return body
	}
	takes(t, []taken{
		{"the first", first, false},
		{"the same again", first, true},
		{"deployed again", replaced("05:07:00.25Z", "06:07:00.25Z"), false},
		{"another id", replaced("9f2c4f3c", "9f2c4f3d"), false},
		{"another end in status", replaced(`"success"`, `"failed"`), false},
	})
	// One that has not ended has no dedup key: the next may well look the same.
	pending := string(without(t, []byte(first), "end_time", "status"))
	takes(t, []taken{{"pending", pending, false}, {"pending once more", pending, false}})
}

type taken struct {
	name, body string
	duplicate  bool
}

// takes puts bodies into an inbox one after the other.
func takes(t *testing.T, all []taken) {
	t.Helper()
	var inbox webhook.MemInbox
	for _, tc := range all {
		err := inbox.Put(t.Context(), open(t, []byte(tc.body)))
		if errors.Is(err, webhook.ErrDuplicate) != tc.duplicate || err != nil && !tc.duplicate {
			t.Errorf("%s: got %v, want a duplicate: %v", tc.name, err, tc.duplicate)
		}
	}
}

func TestAJobKeepsItsKeyWhateverItsURLSays(t *testing.T) {
	const run = `{"id":"1","status":"Failed","end_time":"t","job_name":"import"`
	for name, body := range map[string]string{
		"a URL":                       run + `,"url":"https://app.scm.azurewebsites.net/api/triggeredwebjobs/import/history/1"}`,
		"no URL":                      run + `}`,
		"a URL of null":               run + `,"url":null}`,
		"a host in upper case":        run + `,"url":"https://App.SCM.azurewebsites.net/api/triggeredwebjobs/import/history/1"}`,
		"another name of the host":    run + `,"url":"https://scm.example.com/api/triggeredwebjobs/import/history/1"}`,
		"a job name in another case":  strings.Replace(run, "import", "Import", 1) + `}`,
		"the URL of its output alone": run + `,"output_url":"https://app.scm.azurewebsites.net/vfs/x"}`,
	} {
		if got := open(t, []byte(body)).OrderingKey; got != "import" {
			t.Errorf("%s: key %q, want import", name, got)
		}
	}
}

func TestRunsOfTheSameMomentAtTwoSitesAreBothTaken(t *testing.T) {
	const run = `{"id":"20260304050607","status":"Success","end_time":"2026-03-04T05:07:07Z","job_name":"import","url":"https://%.scm.example/x"}`
	a, b := strings.Replace(run, "%", "a", 1), strings.Replace(run, "%", "b", 1)
	takes(t, []taken{{"site a", a, false}, {"site b", b, false}, {"site a again", strings.Replace(a, "//a", "//A", 1), true}})
	// Neither site nor job: nothing tells them apart.
	const nameless = `{"id":"20260304050607","status":"Success","end_time":"2026-03-04T05:07:07Z","duration":"00:01:00"}`
	takes(t, []taken{{"no name", nameless, false}, {"no name, another job", nameless, false}})
}

func TestACallThatNamesItsSiteIsOfThatSite(t *testing.T) {
	src := source()
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	const (
		run      = `{"id":"1","status":"Failed","end_time":"t","job_name":"import"}`
		ofHost   = `{"id":"1","status":"failed","hostName":"h","siteName":"s"}`
		ofSite   = `{"id":"1","status":"failed","siteName":"s"}`
		nowhere  = `{"id":"1","status":"failed"}`
		inQuery  = "/?site=App.scm.example&token=" + token
		anyOther = "/?token=" + token
	)
	for _, tc := range []struct{ name, target, wildcard, body, key string }{
		{"a job, in the query", inQuery, "", run, "app.scm.example import"},
		{"a job, in the path", anyOther, "App", run, "app import"},
		{"a job, in both", inQuery, "App", run, "app import"},
		{"a job, nowhere", anyOther, "", run, "import"},
		{"a job of another host", inQuery, "", strings.Replace(run, `"id"`, `"url":"https://b.scm.example/x","id"`, 1), "app.scm.example import"},
		{"a deployment that tells its host", inQuery, "", ofHost, "h"},
		{"a deployment that tells its site alone", inQuery, "", ofSite, "app.scm.example"},
		{"a deployment that tells nothing", inQuery, "", nowhere, "app.scm.example"},
		{"a job without name", inQuery, "", `{"job_name":""}`, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, tc.target, nil)
		if tc.wildcard != "" {
			r.SetPathValue("site", tc.wildcard)
		}
		d, err := src.Open(r, []byte(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if d.OrderingKey != tc.key {
			t.Errorf("%s: key %q, want %q", tc.name, d.OrderingKey, tc.key)
		}
	}
}

package kudu_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestTypeAndKeys(t *testing.T) {
	const (
		deployment, job, unknown = "kudu.PostDeployment", "kudu.TriggeredJobFinished", "kudu.unknown"
		run                      = `"url":"https://s.scm.example/api/triggeredwebjobs/j/history/1","job_name":"j"`
	)
	for _, tc := range []struct{ name, body, typ, key, dedupKey string }{
		{"a deployment", `{"id":"1","status":"failed","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a deployment in snake_case", `{"id":"1","status":"failed","end_time":"t","site_name":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a deployment with a numeric status", `{"id":"1","status":3,"endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"a status with a capital", `{"id":"1","status":"Failed","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 failed t"},
		{"no status", `{"id":"1","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 pending t"},
		{"a status of null", `{"id":"1","status":null,"endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 pending t"},
		{"a deployment to a slot", `{"id":"1","endTime":"t","siteName":"s","hostName":"h"}`, deployment, "h", deployment + " h 1 pending t"},
		{"a slot in snake_case", `{"id":"1","end_time":"t","site_name":"s","host_name":"h"}`, deployment, "h", deployment + " h 1 pending t"},
		{"a host with capitals", `{"id":"1","endTime":"t","siteName":"S","hostName":"App.SCM.example"}`, deployment, "app.scm.example", deployment + " app.scm.example 1 pending t"},
		{"a site with capitals", `{"id":"1","endTime":"t","siteName":"App"}`, deployment, "app", deployment + " app 1 pending t"},
		{"an empty host", `{"id":"1","endTime":"t","siteName":"s","hostName":""}`, deployment, "s", deployment + " s 1 pending t"},
		{"all times", `{"id":"1","status":"failed","receivedTime":"r","startTime":"b","endTime":"t","siteName":"S","hostName":"h"}`, deployment, "h",
			deployment + " h 1 failed t|" + deployment + " of s 1 failed r b t"},
		{"all times in snake_case", `{"id":"1","status":3,"received_time":"r","start_time":"b","end_time":"t","site_name":"s"}`, deployment, "s",
			deployment + " s 1 failed t|" + deployment + " of s 1 failed r b t"},
		{"all times and no site", `{"id":"1","status":3,"received_time":"r","start_time":"b","end_time":"t"}`, deployment, "", deployment + "  1 failed t"},
		{"a start that was never set", `{"id":"1","receivedTime":"r","startTime":"0001-01-01T00:00:00","endTime":"t","siteName":"s"}`, deployment, "s", deployment + " s 1 pending t"},
		{"no site", `{"id":"1","status":"success","end_time":"t"}`, deployment, "", deployment + "  1 success t"},
		{"no site and no end", `{"id":"1","status":"building"}`, deployment, "", ""},
		{"no site and a numeric status", `{"id":"1","status":0}`, deployment, "", ""},
		{"an author's address alone", `{"author_email":"a@example.com"}`, deployment, "", ""},
		{"a received time alone", `{"receivedTime":"t"}`, deployment, "", ""},
		{"a received time alone in snake_case", `{"received_time":"t"}`, deployment, "", ""},
		{"no id", `{"endTime":"t","siteName":"s"}`, deployment, "s", ""},
		{"an empty id", `{"id":"","endTime":"t","siteName":"s"}`, deployment, "s", ""},
		{"no end", `{"id":"1","siteName":"s"}`, deployment, "s", ""},
		{"an end of null", `{"id":"1","endTime":null,"siteName":"s"}`, deployment, "s", ""},
		{"an end that was never set", `{"id":"1","endTime":"0001-01-01T00:00:00","siteName":"s"}`, deployment, "s", ""},
		{"an end that was never set, with a zone", `{"id":"1","endTime":"0001-01-01T00:00:00Z","siteName":"s"}`, deployment, "s", ""},
		{"a numeric site", `{"id":"1","siteName":1}`, deployment, "", ""},
		{"a job", `{"id":"1","status":"Failed","end_time":"t",` + run + `}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job with capitals in its host", `{"id":"1","status":"Failed","end_time":"t","url":"https://S.scm.example/x","job_name":"j"}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job with capitals in its name", `{"id":"1","status":"Failed","end_time":"t","job_name":"J"}`, job, "j", job + " j  1 failed t"},
		{"a job without end", `{"id":"1",` + run + `}`, job, "j", ""},
		{"a job with the end of a deployment", `{"id":"1","endTime":"t",` + run + `}`, job, "j", ""},
		{"a job without URL", `{"id":"1","status":"Failed","end_time":"t","job_name":"j"}`, job, "j", job + " j  1 failed t"},
		{"a job with the URL of its output", `{"id":"1","status":"Failed","end_time":"t","output_url":"https://s.scm.example/x","job_name":"j"}`, job, "j", job + " j s.scm.example 1 failed t"},
		{"a job of a site", `{"siteName":"s",` + run + `}`, job, "j", ""},
		{"a job of a numeric name", `{"job_name":1}`, job, "", ""},
		{"a job without a name", `{"id":"1","status":"Failed","end_time":"t","duration":"00:00:01"}`, job, "", ""},
		{"a job that has only the name of its run", `{"id":"1","name":"1","status":"Failed"}`, job, "", ""},
		{"a job name of null", `{"job_name":null,"siteName":"s"}`, deployment, "s", ""},
		{"a deployment with a duration", `{"id":"1","siteName":"s","duration":"d"}`, deployment, "s", ""},
		{"neither", `{"id":"1","endTime":"t"}`, unknown, "", ""},
		{"a numeric id", `{"id":1,"status":"success"}`, unknown, "", ""},
		{"a status of true", `{"id":"1","status":true}`, unknown, "", ""},
		{"a duration of something else", `{"duration":"00:00:01"}`, unknown, "", ""},
		{"a name that is not the id", `{"id":"1","name":"2"}`, unknown, "", ""},
		{"both of null", `{"siteName":null,"receivedTime":null}`, unknown, "", ""},
		{"a list", `[{"siteName":"s"}]`, unknown, "", ""},
		{"null", `null`, unknown, "", ""},
		{"not JSON", `{"siteName":`, deployment, "", ""},
		{"not JSON, of a job", `{"job_name":`, job, "", ""},
		{"an empty body", ``, deployment, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			got := []string{d.Type, d.OrderingKey, strings.Join(d.DedupKeys, "|"), d.ID}
			if diff := cmp.Diff([]string{tc.typ, tc.key, tc.dedupKey, ""}, got); diff != "" {
				t.Errorf("type, ordering key, dedup key and id (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTypeOfFixtures(t *testing.T) {
	for name, body := range fixtures(t) {
		if got, want := open(t, body).Type, typeOf(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestRepeatedCallIsADuplicateAndRedeploymentIsNot(t *testing.T) {
	var inbox webhook.MemInbox
	first := string(fixture(t, "deployment.camel.all-fields.json"))
	again := strings.Replace(first, `"endTime": "2026-03-04T05:07:00Z"`, `"endTime": "2026-03-04T06:00:00Z"`, 1)
	swapped := strings.Replace(first, "scale-staging.scm", "scale.scm", 1) // the slot, not the deployment
	elsewhere := strings.Replace(swapped, "05:06:08.5Z", "05:06:08.6Z", 1)
	for _, tc := range []struct {
		body      string
		duplicate bool
	}{{first, false}, {first, true}, {again, false}, {swapped, true}, {elsewhere, false}} {
		err := inbox.Put(t.Context(), open(t, []byte(tc.body)))
		if errors.Is(err, webhook.ErrDuplicate) != tc.duplicate || !tc.duplicate && err != nil {
			t.Errorf("got %v, want duplicate %v", err, tc.duplicate)
		}
	}
}

func TestMalformedBodies(t *testing.T) {
	deep := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	for _, tc := range []struct{ name, body string }{
		{"not JSON", `{"siteName":"s",`},
		{"an empty body", ``},
		{"too deep", `{"siteName":"s","x":` + deep + `}`},
		{"a site twice", `{"siteName":"s","siteName":"t"}`},
		{"a site in two spellings", `{"siteName":"s","site_name":"s"}`},
		{"a site in another case", `{"siteName":"s","SiteName":"t"}`},
		{"a site in another case alone", `{"SITENAME":"t"}`},
		{"a site twice, once escaped", `{"siteName":"s","s\u0069teName":"t"}`},
		{"a field that describe does not use, twice", `{"siteName":"s","author":"a","author":"b"}`},
		{"a flag in two spellings", `{"siteName":"s","is_temp":true,"isTemporary":false}`},
		{"a flag in two spellings, one of which Kudu does not send", `{"siteName":"s","is_temp":true,"is_temporary":true}`},
		{"a null in two spellings", `{"siteName":"s","endTime":null,"end_time":null}`},
		{"a numeric site", `{"siteName":1}`},
		{"a numeric author", `{"siteName":"s","author":1}`},
		{"a status of true", `{"siteName":"s","status":true}`},
		{"a status that is an object", `{"siteName":"s","status":{}}`},
		{"complete as text", `{"siteName":"s","complete":"true"}`},
		{"complete as a number", `{"siteName":"s","complete":1}`},
		{"a time that is a list", `{"siteName":"s","endTime":[]}`},
		{"a job name twice", `{"job_name":"j","job_name":"k"}`},
		{"a job name in another case", `{"job_name":"j","Job_Name":"k"}`},
		{"an end in two spellings, of a job", `{"job_name":"j","end_time":"t","endTime":"u"}`},
		{"a numeric job name", `{"job_name":1}`},
		{"a numeric duration", `{"job_name":"j","duration":1}`},
		{"a job's status that is an object", `{"job_name":"j","status":{}}`},
		{"a job's time that is true", `{"job_name":"j","end_time":true}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			for which, d := range map[string]*webhook.Delivery{"received": d, "stored": samples.Stored(d)} {
				if err := decodeByType(d); !errors.Is(err, webhook.ErrMalformed) {
					t.Errorf("%s as %s: got %v, want ErrMalformed", which, d.Type, err)
				}
			}
		})
	}
}

func TestInvalidUTF8IsReplacedInTheOrderingKey(t *testing.T) {
	d := open(t, []byte("{\"siteName\":\"s\xff\"}"))
	if d.OrderingKey != "s\uFFFD" {
		t.Errorf("key %q", d.OrderingKey)
	}
	if got := decode[kudu.Deployment](t, d.Body).Site(); got != d.OrderingKey {
		t.Errorf("site %q, want %q", got, d.OrderingKey)
	}
}

func TestOrderingKeyOfAJobDoesNotDependOnItsURLs(t *testing.T) {
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

func TestOrderingKeyContainsTheSiteInTheURL(t *testing.T) {
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
		{"a job, without a site", anyOther, "", run, "import"},
		{"a job of another host", inQuery, "", strings.Replace(run, `"id"`, `"url":"https://b.scm.example/x","id"`, 1), "app.scm.example import"},
		{"a deployment with a host", inQuery, "", ofHost, "h"},
		{"a deployment with a site only", inQuery, "", ofSite, "app.scm.example"},
		{"a deployment with neither", inQuery, "", nowhere, "app.scm.example"},
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

// A status that changes at the same time is a new event, whichever keys the deliveries have.
func TestAnotherStatusIsNoDuplicate(t *testing.T) {
	seen := make(map[string]string)
	for _, status := range []string{"failed", "success"} {
		body := `{"id":"1","status":"` + status + `","receivedTime":"r","startTime":"b","endTime":"t","siteName":"s","hostName":"h"}`
		d, err := source().OpenUnsigned(httptest.NewRequest(http.MethodPost, "/", nil), []byte(body), "a test")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range d.DedupKeys {
			if seen[key] != "" {
				t.Errorf("%q is a key of %s and of %s", key, seen[key], status)
			}
			seen[key] = status
		}
	}
}

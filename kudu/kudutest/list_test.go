package kudutest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// deployed returns a deployment that ended some minutes after endTime.
func deployed(id string, minutes int, status kudu.Status) kudu.Deployment {
	at := wire.At(endTime.Add(time.Duration(minutes) * time.Minute))
	d := kudu.Deployment{ID: id, Status: status, Complete: true, ReceivedTime: at, StartTime: at, EndTime: at, SiteName: "scale"}
	if status == kudu.StatusSuccess {
		d.LastSuccessEndTime = at
	}
	return d
}

func idsOf(site *kudutest.Server) string {
	var ids []string
	for _, d := range site.Deployments() {
		ids = append(ids, d.ID)
	}
	return strings.Join(ids, " ")
}

func TestAListOfDeploymentsHasTheFormOfKudu(t *testing.T) {
	var site kudutest.Server
	site.Record(deployed("9f2c", 0, kudu.StatusFailed))
	w := call(&site, "GET", "http://app.scm.example/api/deployments", "")
	want := `[{"id":"9f2c","status":3,"status_text":"","author_email":"","author":"","deployer":"","message":"","progress":"",` +
		`"received_time":"2026-03-04T05:07:00Z","start_time":"2026-03-04T05:07:00Z","end_time":"2026-03-04T05:07:00Z","last_success_end_time":null,` +
		`"complete":true,"active":false,"is_temp":false,"is_readonly":false,"url":"http://app.scm.example/api/deployments/9f2c",` +
		`"log_url":"http://app.scm.example/api/deployments/9f2c/log","site_name":"scale","provisioningState":null}]`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != http.StatusOK {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
}

func TestDeploymentsArePurgedAsKuduDoes(t *testing.T) {
	var site kudutest.Server
	for n := range 12 {
		site.Record(deployed(fmt.Sprint("s", n), n, kudu.StatusSuccess))
	}
	if got := idsOf(&site); got != "s11 s10 s9 s8 s7 s6 s5 s4 s3 s2" {
		t.Errorf("of 12 that succeeded %s are kept", got)
	}
	site.Record(deployed("f1", 20, kudu.StatusFailed))
	site.Record(deployed("f2", 21, kudu.StatusFailed))
	if got := idsOf(&site); !strings.HasPrefix(got, "f2 s11 ") {
		t.Errorf("of those that never succeeded %s are kept, want the last one", got)
	}
	site.Record(deployed("s5", 30, kudu.StatusSuccess)) // again
	if got := idsOf(&site); got != "s5 s11 s10 s9 s8 s7 s6 s4 s3 s2" {
		t.Errorf("after a redeployment %s are kept", got)
	}
	site.RemoveDeployment("s11")
	if got := idsOf(&site); got != "s5 s10 s9 s8 s7 s6 s4 s3 s2" {
		t.Errorf("after a removal %s are kept", got)
	}
}

func TestAHistoryHasTheFormOfKudu(t *testing.T) {
	site := kudutest.Server{History: 2}
	if w := call(&site, "GET", "/api/triggeredwebjobs/nightly/history", ""); w.Code != http.StatusNotFound || w.Body.Len() > 0 {
		t.Errorf("a job without runs: %d %s", w.Code, w.Body)
	}
	for _, id := range []string{"2", "1", "3"} {
		site.RecordRun(kudu.TriggeredJobRun{ID: id, Status: kudu.JobRunning, StartTime: endTime, TimeSpan: "00:00:01", JobName: "Nightly"})
	}
	w := call(&site, "GET", "http://app.scm.example/api/triggeredwebjobs/nightly/history", "")
	run := `{"id":"%[1]s","name":"%[1]s","status":"Running","start_time":"2026-03-04T05:07:00Z","end_time":"0001-01-01T00:00:00","duration":"00:00:01",` +
		`"output_url":null,"error_url":null,"url":"http://app.scm.example/api/triggeredwebjobs/nightly/history/%[1]s","job_name":"nightly","trigger":null}`
	want := `{"runs":[` + fmt.Sprintf(run, "3") + "," + fmt.Sprintf(run, "2") + `]}`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != http.StatusOK {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
}

func TestListsHaveAnETagUntilTheyChange(t *testing.T) {
	var site kudutest.Server
	run := kudu.TriggeredJobRun{ID: "1", Status: kudu.JobRunning, JobName: "nightly"}
	site.RecordRun(run)
	site.Record(deployed("s", 0, kudu.StatusSuccess))
	for path, change := range map[string]func(){
		"/api/deployments":                      func() { site.Record(deployed("s", 1, kudu.StatusSuccess)) },
		"/api/triggeredwebjobs/nightly/history": func() { run.Status = kudu.JobSuccess; site.RecordRun(run) },
	} {
		etag := call(&site, "GET", path, "").Header().Get("ETag")
		if w := call(&site, "GET", path, "", "If-None-Match", etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != etag {
			t.Errorf("%s: %d, ETag %q, want 304 and %q", path, w.Code, w.Header().Get("ETag"), etag)
		}
		change()
		if w := call(&site, "GET", path, "", "If-None-Match", etag); w.Code != http.StatusOK || w.Header().Get("ETag") == etag {
			t.Errorf("%s after a change: %d, ETag %q", path, w.Code, w.Header().Get("ETag"))
		}
	}
}

func TestFailuresComeInsteadOfAnswers(t *testing.T) {
	site := kudutest.Server{Now: func() time.Time { return endTime.Time }}
	site.Record(deployed("s", 0, kudu.StatusSuccess))
	site.Fail(1, kudutest.Failure{Status: 503, RetryAfter: 90 * time.Second, Body: "<html>"})
	site.Fail(1, kudutest.Failure{Body: "[]"})
	site.Fail(1, kudutest.Failure{Cut: true})
	get := func() *httptest.ResponseRecorder { return call(&site, "GET", "/api/deployments", "") }
	if w := get(); w.Code != 503 || w.Header().Get("Retry-After") != "90" || w.Header().Get("Content-Type") != "text/html" || w.Body.String() != "<html>" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := get(); w.Code != 200 || w.Body.String() != "[]" || w.Header().Get("Date") != "Wed, 04 Mar 2026 05:07:00 GMT" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := get(); w.Code != 200 || json.Valid(w.Body.Bytes()) {
		t.Errorf("a cut answer: %d %s", w.Code, w.Body)
	}
	if w := get(); w.Code != 200 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("the answer after the failures: %d %s", w.Code, w.Body)
	}
}

package kudutest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

var endTime = wire.At(time.Date(2026, 3, 4, 5, 7, 0, 0, time.UTC))

// A receiver answers according to the path and records the calls.
type receiver struct {
	mu    sync.Mutex
	calls []string // Authorization and body
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rc.mu.Lock()
	rc.calls = append(rc.calls, strings.TrimSpace(r.Header.Get("Authorization")+" "+string(body)))
	rc.mu.Unlock()
	switch r.URL.Path {
	case "/gone":
		w.WriteHeader(http.StatusGone)
	case "/slow":
		<-r.Context().Done()
	case "/busy":
		w.WriteHeader(http.StatusTooManyRequests)
	case "/long":
		w.WriteHeader(http.StatusRequestURITooLong)
	case "/version":
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
	case "/challenge":
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="kudu"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

// newSite returns a site that sends the calls of its hooks to rc.
func newSite(rc *receiver) *kudutest.Server {
	return &kudutest.Server{Transport: webhooktest.InMemory(rc)}
}

func TestDeploySendsCamelCaseWithoutDefaults(t *testing.T) {
	rc := new(receiver)
	site := newSite(rc)
	subscribe(t, site, "postdeployment", "http://ci.example.com/")
	subscribe(t, site, "TriggeredJobFinished", "http://ci.example.com/jobs")
	got, err := site.Deploy(t.Context(), kudu.Deployment{ID: "9f2c", Status: kudu.StatusSuccess, EndTime: endTime, SiteName: "scale"})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d deliveries, %v", len(got), err)
	}
	want := strings.ReplaceAll(`{
  "id": "9f2c",
  "status": "success",
  "endTime": "2026-03-04T05:07:00Z",
  "siteName": "scale"
}`, "\n", "\r\n")
	if diff := cmp.Diff([]string{want}, rc.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if string(got[0].Body) != want || !got[0].Result.Delivered || *got[0].Hook.LastStatus != "OK" || *got[0].Hook.LastContext != want {
		t.Errorf("delivery %+v", got[0])
	}
}

func TestFinishJobSendsTheRun(t *testing.T) {
	rc := new(receiver)
	site := newSite(rc)
	subscribe(t, site, "TriggeredJobFinished", "http://ci.example.com/jobs")
	_, err := site.FinishJob(t.Context(), kudu.TriggeredJobRun{
		ID: "1", Name: "1", Status: kudu.JobFailed, EndTime: endTime, TimeSpan: "00:00:05", JobName: "nightly",
		URL: "https://scale.scm.azurewebsites.net/api/triggeredwebjobs/nightly/history/1",
	})
	if err != nil || len(rc.calls) != 1 || !strings.Contains(rc.calls[0], `"job_name": "nightly"`) || !strings.Contains(rc.calls[0], `"status": "Failed"`) {
		t.Errorf("%v: %s", err, rc.calls)
	}
}

func TestLastStatusAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for path, want := range map[string][2]string{
			"/":        {"OK", "OK"},
			"/gone":    {"Gone", "Gone"},
			"/busy":    {"429", "Too Many Requests"},
			"/long":    {"RequestUriTooLong", "Request URI Too Long"},
			"/version": {"HttpVersionNotSupported", "HTTP Version Not Supported"},
			"/slow":    {"Failure", "A task was canceled."},
		} {
			site := newSite(new(receiver))
			subscribe(t, site, "e", "http://ci.example.com"+path)
			now := time.Now()
			if _, err := site.Publish(t.Context(), "e", 1); err != nil {
				t.Fatal(err)
			}
			hooks := site.Hooks() // includes a hook that answered 410
			if len(hooks) != 1 || *hooks[0].LastStatus != want[0] || *hooks[0].LastReason != want[1] {
				t.Errorf("%s: %+v, want %s", path, hooks, want)
			}
			if at, err := time.Parse(time.RFC3339Nano, hooks[0].LastDatetime); err != nil || !at.Equal(now) {
				t.Errorf("%s: called at %s, want %v", path, hooks[0].LastDatetime, now)
			}
		}
	})
}

func TestUnreachableHookIsAFailure(t *testing.T) {
	var site kudutest.Server
	closed := httptest.NewServer(nil)
	closed.Close()
	subscribe(t, &site, "e", closed.URL)
	got, err := site.Publish(t.Context(), "e", 1)
	if err != nil || len(got) != 1 || got[0].Result.Delivered || *got[0].Hook.LastReason != "An error occurred while sending the request." {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestHooksAreCalledConcurrentlyForTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newSite(new(receiver))
		for _, host := range []string{"a", "b", "c"} {
			subscribe(t, site, "e", "http://"+host+".example.com/slow")
		}
		start := time.Now()
		got, err := site.Publish(t.Context(), "e", 1)
		if err != nil || len(got) != 3 || time.Since(start) != 10*time.Second {
			t.Errorf("%d deliveries after %v, %v, want 3 after 10s", len(got), time.Since(start), err)
		}
		if all := site.Deliveries(); len(all) != 3 {
			t.Errorf("recorded %d deliveries", len(all))
		}
	})
}

func TestCredentialsOfAURLAreSentAfterAChallenge(t *testing.T) {
	rc := new(receiver)
	site := newSite(rc)
	subscribe(t, site, "e", "http://hook:pass@ci.example.com/challenge")
	if _, err := site.Publish(t.Context(), "e", 1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "Basic aG9vazpwYXNz 1"}, rc.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestInsecureSSLSkipsVerification(t *testing.T) {
	target := httptest.NewTLSServer(new(receiver))
	defer target.Close()
	for _, insecure := range []string{"false", "true"} {
		var site kudutest.Server
		call(&site, "POST", "/api/hooks", `{"url":"`+target.URL+`","event":"e","insecure_ssl":`+insecure+`}`)
		got, err := site.Publish(t.Context(), "e", 1)
		if err != nil || got[0].Result.Delivered != (insecure == "true") {
			t.Errorf("insecure_ssl %s: %v, %+v", insecure, err, got)
		}
	}
}

func TestEventIsLostIfTheLockTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newSite(new(receiver))
		subscribe(t, site, "e", "http://ci.example.com/slow")
		for range 4 {
			go func() { _, _ = site.Publish(t.Context(), "e", 1) }()
			time.Sleep(time.Second)
		}
		w := call(site, "POST", "/api/hooks/publish/e", "2")
		if w.Code != 500 || w.Body.Len() != 0 {
			t.Errorf("published: %d %s, want 500 and nothing", w.Code, w.Body)
		}
		if w := call(site, "POST", "/api/hooks/publish/other", ""); w.Code != 200 {
			t.Errorf("after it: %d", w.Code)
		}
	})
}

func TestPublishOfAFuncIsAnError(t *testing.T) {
	rc := new(receiver)
	site := newSite(rc)
	subscribe(t, site, "e", "http://ci.example.com/")
	if _, err := site.Publish(t.Context(), "e", func() {}); err == nil || len(rc.calls) > 0 {
		t.Errorf("got %v after %d calls", err, len(rc.calls))
	}
}

package jobserv_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestClientReadsTestsRunsAndLog(t *testing.T) {
	var b jobserv.Build
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	base := "/projects/acme/lmp/builds/67/runs/"
	serve := func(path, text string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != "Bearer not-a-real-token" {
				t.Errorf("%s: got Authorization %q", r.URL, got)
			}
			fmt.Fprint(w, strings.ReplaceAll(text, api, server.URL))
		})
	}
	serve(base+"build-amd64/tests/{$}", string(fixture(t, "api.tests.json")))
	serve(base+"build-amd64/tests/boot/", string(fixture(t, "api.test.json")))
	serve(base+"{$}", `{"status":"success","data":{"runs":[{"name":"a","url":"u","status":"RUNNING"}]}}`)
	serve(base+"build-amd64/console.log", "line 1\nline 2\n")
	decode(t, strings.ReplaceAll(string(fixture(t, "build.detailed.json")), api, server.URL), &b)

	c := newClient(token, server.URL)
	c.Transport = server.Client().Transport
	ctx := t.Context()

	tests, err := c.Tests(ctx, b.Runs[0])
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2021, 7, 26, 18, 11, 0, 0, time.UTC)
	boot := server.URL + base + "build-amd64/tests/boot/"
	want := []jobserv.Test{{Name: "boot", URL: boot, Status: jobserv.Passed, Created: created}}
	if diff := cmp.Diff(want, tests); diff != "" {
		t.Errorf("Tests (-want +got):\n%s", diff)
	}
	test, err := c.Test(ctx, tests[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	detail := jobserv.Test{Name: "boot", URL: boot, Status: jobserv.Failed, Created: created, Results: []jobserv.TestResult{
		{Name: "kernel", Status: jobserv.Passed},
		{Name: "login", Status: jobserv.Failed, Output: "timeout"},
	}}
	if diff := cmp.Diff(detail, test); diff != "" {
		t.Errorf("Test (-want +got):\n%s", diff)
	}
	runs, err := c.Runs(ctx, b)
	if err != nil || len(runs) != 1 || runs[0].Status != jobserv.Running {
		t.Errorf("Runs: got %v, %v", runs, err)
	}
	if got := readLog(t, c, b.Runs[0]); got != "line 1\nline 2\n" {
		t.Errorf("Log: got %q", got)
	}
}

func TestTestsOfARunWithoutTestsMakesNoCall(t *testing.T) {
	c := client(func(http.ResponseWriter, *http.Request) { t.Error("called") })
	for _, r := range []jobserv.Run{{}, {TestsURL: wire.Null[string]()}, {TestsURL: wire.Some("")}} {
		if tests, err := c.Tests(t.Context(), r); tests != nil || err != nil {
			t.Errorf("got %v, %v, want nothing", tests, err)
		}
	}
}

func TestRunsOfTheFirstShape(t *testing.T) {
	var path string
	c := client(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		fmt.Fprint(w, `{"status":"success","data":{"runs":[]}}`)
	})
	if _, err := c.Runs(t.Context(), build(t, "build.first-shape.json")); err != nil {
		t.Fatal(err)
	}
	if want := "/projects/acme/lmp/builds/12/runs/"; path != want {
		t.Errorf("got %s, want %s", path, want)
	}
}

func TestErrorsByAnswer(t *testing.T) {
	long := strings.Repeat("x", 255) + "\u00e9"
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		want    error
		code    int // of the StatusError; 0 if err is none
		message string
	}{
		{"not found", 404, `{"status":"error","message":"Run does not exist"}`, jobserv.ErrNotFound, 404, "Run does not exist"},
		{"denied", 401, `{"status":"error","message":"no"}`, jobserv.ErrDenied, 401, "no"},
		{"forbidden", 403, ``, jobserv.ErrDenied, 403, ""},
		{"a proxy's page", 502, `<html>`, nil, 502, ""},
		{"an error with status 200", 200, `{"status":"error","message":"m"}`, nil, 200, "m"},
		{"fail, which JobServ never sends", 200, `{"status":"fail","data":{}}`, nil, 200, ""},
		{"a long message", 500, `{"status":"error","message":"` + long + `"}`, nil, 500, long[:255]},
		{"a redirect without Location", 302, ``, nil, 302, ""},
		{"not JSON", 200, `login please`, jobserv.ErrAnswer, 0, ""},
		{"an empty body", 200, ``, jobserv.ErrAnswer, 0, ""},
		{"no envelope", 200, `{"tests":[]}`, jobserv.ErrAnswer, 0, ""},
		{"no data", 200, `{"status":"success"}`, jobserv.ErrAnswer, 0, ""},
		{"null data", 200, `{"status":"success","data":null}`, jobserv.ErrAnswer, 0, ""},
		{"data of another type", 200, `{"status":"success","data":{"tests":"https://x"}}`, jobserv.ErrAnswer, 0, ""},
		{"too large", 200, `{"status":"success","data":{"tests":[]},"x":"` + strings.Repeat("x", 1024) + `"}`, jobserv.ErrTooLarge, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := client(answering(tc.status, tc.body))
			c.MaxAnswer = 1024
			_, err := c.Tests(t.Context(), runWith(api+"/tests/"))
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			var status *jobserv.StatusError
			if errors.As(err, &status) != (tc.code != 0) {
				t.Fatalf("got %v, want a StatusError: %v", err, tc.code != 0)
			}
			if status != nil && (status.Code != tc.code || status.Message != tc.message) {
				t.Errorf("got %d %q, want %d %q", status.Code, status.Message, tc.code, tc.message)
			}
			for _, other := range []error{jobserv.ErrNotFound, jobserv.ErrDenied, jobserv.ErrAnswer, jobserv.ErrTooLarge} {
				if other != tc.want && errors.Is(err, other) {
					t.Errorf("%v also matches %v", err, other)
				}
			}
			if strings.Contains(err.Error(), "not-a-real-token") {
				t.Error("the error contains the token")
			}
		})
	}
}

func TestAnswerWithoutTestIsErrAnswer(t *testing.T) {
	c := client(answering(200, `{"status":"success","data":{}}`))
	if _, err := c.Test(t.Context(), api+"/tests/boot/"); !errors.Is(err, jobserv.ErrAnswer) {
		t.Errorf("got %v, want ErrAnswer", err)
	}
}

func TestAnswerOfExactlyMaxAnswerIsAccepted(t *testing.T) {
	body := `{"status":"success","data":{"tests":[]}}`
	c := client(answering(200, body))
	c.MaxAnswer = int64(len(body))
	if _, err := c.Tests(t.Context(), runWith(api+"/tests/")); err != nil {
		t.Error(err)
	}
}

func TestTruncatedAnswerIsErrUnexpectedEOF(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"status":"success","data":{"runs":[]}}`)
	}))
	defer server.Close()
	c := newClient(token, server.URL)
	b := jobserv.Build{RunsURL: wire.Some(server.URL + "/runs/")}
	if _, err := c.Runs(t.Context(), b); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("answer: got %v, want ErrUnexpectedEOF", err)
	}
	if _, err := c.LogTail(t.Context(), jobserv.Run{URL: server.URL}, 10); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("log: got %v, want ErrUnexpectedEOF", err)
	}
}

func TestMaximalLimitsDoNotOverflow(t *testing.T) {
	c := client(answering(200, `{"status":"success","data":{"tests":[]}}`))
	c.MaxAnswer, c.MaxLog = math.MaxInt64, math.MaxInt64
	if _, err := c.Tests(t.Context(), runWith(api+"/t/")); err != nil {
		t.Error(err)
	}
	if got := readLog(t, c, runWith("")); got == "" {
		t.Error("the log is empty")
	}
	if got, err := c.LogTail(t.Context(), runWith(""), math.MaxInt); err != nil || len(got) == 0 {
		t.Errorf("tail: got %q, %v", got, err)
	}
}

func TestNewClientRefusesInvalidServers(t *testing.T) {
	for _, servers := range [][]string{nil, {""}, {"api.example.com"}, {"ftp://h"}, {"https://"}, {"https://u:p@h"}, {api, "%"}} {
		c, err := jobserv.NewClient(token, servers...)
		if c != nil || !errors.Is(err, jobserv.ErrHost) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: got %v, %v, want nil and ErrHost", servers, c, err)
		}
	}
}

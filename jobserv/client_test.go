package jobserv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

const api = "https://api.example.com"

var token = webhook.NewSecret("not-a-real-token")

// client returns a Client of api whose calls, to any host, go to h.
func client(h http.HandlerFunc) *jobserv.Client {
	c := newClient(token, api)
	c.Transport = webhooktest.InMemory(h)
	return c
}

// answering returns a handler that answers every call alike.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// newClient returns a Client of servers whose URLs are known to be good.
func newClient(token webhook.Secret, servers ...string) *jobserv.Client {
	c, err := jobserv.NewClient(token, servers...)
	if err != nil {
		panic(err)
	}
	return c
}

func runWith(tests string) jobserv.Run {
	return jobserv.Run{Name: "build", URL: api + "/projects/p/builds/1/runs/build/", TestsURL: wire.Some(tests)}
}

func TestTheClientReadsWhatABuildPointsAt(t *testing.T) {
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

func TestARunWithoutTestsAsksNobody(t *testing.T) {
	c := client(func(http.ResponseWriter, *http.Request) { t.Error("called") })
	for _, r := range []jobserv.Run{{}, {TestsURL: wire.Null[string]()}, {TestsURL: wire.Some("")}} {
		if tests, err := c.Tests(t.Context(), r); tests != nil || err != nil {
			t.Errorf("got %v, %v, want nothing", tests, err)
		}
	}
}

func TestRunsOfABuildOfTheFirstShape(t *testing.T) {
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

func TestAnAnswerThatIsNoSuccess(t *testing.T) {
	long := strings.Repeat("x", 255) + "\u00e9"
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		want    error
		code    int // of the StatusError, 0 where there is none
		message string
	}{
		{"not found", 404, `{"status":"error","message":"Run does not exist"}`, jobserv.ErrNotFound, 404, "Run does not exist"},
		{"denied", 401, `{"status":"error","message":"no"}`, jobserv.ErrDenied, 401, "no"},
		{"forbidden", 403, ``, jobserv.ErrDenied, 403, ""},
		{"a proxy's page", 502, `<html>`, nil, 502, ""},
		{"an error with status 200", 200, `{"status":"error","message":"m"}`, nil, 200, "m"},
		{"fail, which JobServ never says", 200, `{"status":"fail","data":{}}`, nil, 200, ""},
		{"a long message", 500, `{"status":"error","message":"` + long + `"}`, nil, 500, long[:255]},
		{"a redirect to nowhere", 302, ``, nil, 302, ""},
		{"no JSON", 200, `login please`, jobserv.ErrAnswer, 0, ""},
		{"nothing", 200, ``, jobserv.ErrAnswer, 0, ""},
		{"no envelope", 200, `{"tests":[]}`, jobserv.ErrAnswer, 0, ""},
		{"no data", 200, `{"status":"success"}`, jobserv.ErrAnswer, 0, ""},
		{"data of null", 200, `{"status":"success","data":null}`, jobserv.ErrAnswer, 0, ""},
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
					t.Errorf("%v is %v too", err, other)
				}
			}
			if strings.Contains(err.Error(), "not-a-real-token") {
				t.Error("the error holds the token")
			}
		})
	}
}

func TestAnAnswerWithoutTheTestIsUnexpected(t *testing.T) {
	c := client(answering(200, `{"status":"success","data":{}}`))
	if _, err := c.Test(t.Context(), api+"/tests/boot/"); !errors.Is(err, jobserv.ErrAnswer) {
		t.Errorf("got %v, want ErrAnswer", err)
	}
}

func TestAnAnswerOfExactlyTheLimitIsTaken(t *testing.T) {
	body := `{"status":"success","data":{"tests":[]}}`
	c := client(answering(200, body))
	c.MaxAnswer = int64(len(body))
	if _, err := c.Tests(t.Context(), runWith(api+"/tests/")); err != nil {
		t.Error(err)
	}
}

func TestAnAnswerThatBreaksOff(t *testing.T) {
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

func TestTheLargestLimitsAreNoTrap(t *testing.T) {
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

func TestOnlyTheServersGivenAreCalled(t *testing.T) {
	called := ""
	record := func(w http.ResponseWriter, r *http.Request) {
		called = r.Host
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	}
	for _, tc := range []struct {
		name, url string
		allowed   bool
	}{
		{"the server", "https://api.example.com/t/", true},
		{"its port written out", "https://api.example.com:443/t/", true},
		{"another case of it", "HTTPS://API.Example.com/t/", true},
		{"the second server", "http://lci-web:8080/t/", true},
		{"http where https was given", "http://api.example.com/t/", false},
		{"https where http was given", "https://lci-web:8080/t/", false},
		{"another port", "https://api.example.com:8443/t/", false},
		{"another host", "https://evil.example.net/t/", false},
		{"a host below", "https://x.api.example.com/t/", false},
		{"a host that begins so", "https://api.example.com.evil.example.net/t/", false},
		{"the server as user information", "https://api.example.com@evil.example.net/t/", false},
		{"user information", "https://a:b@api.example.com/t/", false},
		{"a backslash", `https://evil.example.net\@api.example.com/t/`, false},
		{"another scheme", "file:///etc/passwd", false},
		{"no scheme", "//api.example.com/t/", false},
		{"a path", "/t/", false},
		{"a metadata service", "http://169.254.169.254/latest/", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			called = ""
			c := newClient(token, api+"/some/path", "http://lci-web:8080")
			c.Transport = webhooktest.InMemory(http.HandlerFunc(record))
			_, err := c.Tests(t.Context(), runWith(tc.url))
			if tc.allowed {
				if err != nil || called == "" {
					t.Errorf("got %v, want it called", err)
				}
				return
			}
			if !errors.Is(err, jobserv.ErrHost) || called != "" {
				t.Errorf("got %v and %q called, want ErrHost and no call", err, called)
			}
		})
	}
}

func TestRehostAsksTheFirstServer(t *testing.T) {
	var asked []string
	c := client(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.RequestURI())
		if r.URL.Query().Has("again") {
			w.Header().Set("Location", "http://lci-web/t/")
			w.WriteHeader(http.StatusFound)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	})
	c.Rehost = true
	if _, err := c.Tests(t.Context(), runWith("http://lci-web:8080/projects/p%2Fq/t/?again")); err != nil {
		t.Fatal(err)
	}
	want := []string{"api.example.com:443/projects/p%2Fq/t/?again", "api.example.com:443/t/"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := c.Tests(t.Context(), runWith("http://a:b@lci-web/t/")); !errors.Is(err, jobserv.ErrHost) {
		t.Errorf("user information: got %v, want ErrHost", err)
	}
}

func TestTheTokenHeaderCanBeSet(t *testing.T) {
	var got http.Header
	c := client(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	})
	c.TokenHeader = "OSF-TOKEN"
	if _, err := c.Tests(t.Context(), runWith(api+"/t/")); err != nil {
		t.Fatal(err)
	}
	if got.Get("OSF-TOKEN") != "not-a-real-token" || got.Get("Authorization") != "" {
		t.Errorf("got %q and %q", got.Get("OSF-TOKEN"), got.Get("Authorization"))
	}

	c = newClient(webhook.Secret{}, api)
	c.Transport = webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	}))
	if _, err := c.Tests(t.Context(), runWith(api+"/t/")); err != nil {
		t.Fatal(err)
	}
	if _, ok := got["Authorization"]; ok {
		t.Error("an empty token was sent")
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	for name, get := range map[string]func(context.Context, *jobserv.Client) error{
		"an answer": func(ctx context.Context, c *jobserv.Client) error {
			_, err := c.Tests(ctx, runWith(api+"/t/"))
			return err
		},
		"a log": func(ctx context.Context, c *jobserv.Client) error {
			_, err := c.Log(ctx, runWith(""))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				start := time.Now()
				if err := get(t.Context(), c); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want DeadlineExceeded", err)
				}
				if took := time.Since(start); took != 30*time.Second {
					t.Errorf("gave up after %v, want 30 s", took)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("told to stop")) })
				if err := get(ctx, c); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want Canceled", err)
				}
			})
		})
	}
}

func TestAClientNeedsServers(t *testing.T) {
	for _, servers := range [][]string{nil, {""}, {"api.example.com"}, {"ftp://h"}, {"https://"}, {"https://u:p@h"}, {api, "%"}} {
		c, err := jobserv.NewClient(token, servers...)
		if c != nil || !errors.Is(err, jobserv.ErrHost) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: got %v, %v, want ErrHost alone", servers, c, err)
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDetailsInText(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	p := a.start(t, home(t))
	p.deliver(t, a.body(t))
	p.prints(t, "Kernel panic")
	out := strings.ReplaceAll(p.stop(t), a.URL, "API")
	require.Equal(t, `FAILED: acme/lmp build 71, platform-main, 14m10s
  https://ci.example.com/projects/acme/lmp/builds/71
  Push to main: new kernel
  PASSED  build-amd64  12m30s  amd64-partner  https://ci.example.com/projects/acme/lmp/builds/71/build-amd64
  FAILED  boot-arm64   1m30s   rpi4-*         https://ci.example.com/projects/acme/lmp/builds/71/boot-arm64
  build-amd64: test compile PASSED
  boot-arm64: test boot FAILED
    FAILED login no prompt
  boot-arm64: log API/projects/acme/lmp/builds/71/runs/boot-arm64/console.log
    | U-Boot 2025.01
    | 100% loaded
    | Kernel panic`+"\uFFFD"+` - not syncing

`, out, "control characters are removed")
	require.Zero(t, a.unauthorized.Load(), "every request has the token")
	require.NotContains(t, p.log.String(), "token=")
}

func TestDetailsInJSON(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	p := a.start(t, home(t), "-json", "-log-bytes", "40")
	p.deliver(t, a.body(t))
	p.prints(t, "Kernel panic")
	lines := results(t, p.stop(t))
	require.Len(t, lines, 1)
	require.NotContains(t, lines[0], "missing")
	boot := lines[0]["runs"].([]any)[1].(map[string]any)
	require.Equal(t, "Kernel panic\a - not syncing\n", boot["log_tail"], "the tail starts at the beginning of a line")
	require.Equal(t, []any{map[string]any{
		"name": "boot", "context": "rpi4", "status": "FAILED", "failed": []any{
			map[string]any{"name": "login", "context": "tty1", "status": "FAILED", "output": "no prompt\nfor 60 s"},
		},
	}}, boot["tests"])
	require.NotContains(t, lines[0]["runs"].([]any)[0], "log_tail", "the log of a passed run is not fetched")
}

func TestLaggingAPIIsRetried(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	// The first responses precede the commit of the notification's transaction.
	var lists, logs atomic.Int64
	a.pages[bootTests] = func(w http.ResponseWriter, r *http.Request) {
		if lists.Add(1) == 1 {
			testList(w, r, "boot", "RUNNING")
			return
		}
		testList(w, r, "boot", "FAILED")
	}
	log := a.pages[bootLog]
	a.pages[bootLog] = func(w http.ResponseWriter, r *http.Request) {
		if logs.Add(1) < 3 {
			status(http.StatusNotFound)(w, r)
			return
		}
		log(w, r)
	}
	p := a.start(t, home(t), "-json")
	p.deliver(t, a.body(t))
	p.prints(t, "Kernel panic")
	lines := results(t, p.stop(t))
	require.Len(t, lines, 1)
	require.NotContains(t, lines[0], "missing")
	require.Equal(t, "FAILED", lines[0]["status"])
	require.EqualValues(t, 3, logs.Load())
	require.Contains(t, p.log.String(), `the API is not up to date yet`)
}

func TestMissingDetails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 63) + "\n"
	for _, tt := range []struct {
		name string
		page string
		do   http.HandlerFunc
		args []string
		says string // part of the only entry of "missing"; if empty, nothing is missing
	}{
		{"no log", bootLog, status(404), nil, "status 404"},
		{"no tests", bootTests, status(404), nil, "status 404"},
		{"a server error", bootTests + "boot/", status(500), nil, `trouble in the API`},
		{"no access", bootLog, status(403), []string{"-api-wait", "1h"}, "status 403"}, // waiting cannot fix it
		{"an HTML page", bootTests, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, nil, "not a JSON envelope"},
		{"no response", bootLog, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, []string{"-api-timeout", "200ms"}, "deadline exceeded"},
		{"a log that stops in the middle", bootLog, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "begin\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, []string{"-api-timeout", "200ms"}, "deadline exceeded"},
		{"a huge list of tests", bootTests, func(w http.ResponseWriter, _ *http.Request) {
			for range 9 << 20 / len(long) {
				fmt.Fprint(w, long)
			}
		}, nil, "too large"},
		{"an endless log", bootLog, func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = fmt.Fprint(w, strings.Repeat(long, 1000))
			}
		}, nil, "too large"},
		{"a log of 6 MB, sent whole", bootLog, func(w http.ResponseWriter, _ *http.Request) {
			for range 100_000 {
				fmt.Fprint(w, long)
			}
			fmt.Fprint(w, "Kernel panic\n")
		}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newFakeAPI(t)
			a.pages[tt.page] = tt.do
			p := a.start(t, home(t), append([]string{"-json", "-api-wait", "1s"}, tt.args...)...)
			p.deliver(t, a.body(t))
			p.prints(t, "\n")
			lines := results(t, p.stop(t))
			require.Len(t, lines, 1)
			require.Equal(t, "FAILED", lines[0]["status"])
			boot := lines[0]["runs"].([]any)[1].(map[string]any)
			if tt.says == "" {
				tail := boot["log_tail"].(string)
				require.NotContains(t, lines[0], "missing")
				require.LessOrEqual(t, len(tail), 4096)
				require.True(t, strings.HasPrefix(tail, long) && strings.HasSuffix(tail, long+"Kernel panic\n"))
				return
			}
			require.Len(t, lines[0]["missing"], 1)
			require.Contains(t, lines[0]["missing"].([]any)[0], tt.says)
		})
	}
}

func TestOmittedDetails(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	var runs []string
	for i := range 60 {
		url, status, tests := fmt.Sprintf("%s/projects/acme/lmp/builds/9/runs/r%d/", a.URL, i), "PASSED", ""
		if i >= 4 { // 56 with tests
			tests = fmt.Sprintf(`, "tests": "%stests/"`, url)
			list := func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"status": "success", "data": {"tests": []}}`)
			}
			if i == 4 {
				list = a.pages[bootTests]
			}
			a.pages[fmt.Sprintf("/projects/acme/lmp/builds/9/runs/r%d/tests/", i)] = list
		}
		if i < 12 {
			status = "FAILED"
			a.pages[fmt.Sprintf("/projects/acme/lmp/builds/9/runs/r%d/console.log", i)] = a.pages[bootLog]
		}
		runs = append(runs, fmt.Sprintf(`{"name": "r%d", "url": %q, "status": %q%s}`, i, url, status, tests))
	}
	a.pages["/projects/acme/lmp/builds/9/runs/r4/tests/boot/"] = func(w http.ResponseWriter, _ *http.Request) {
		one := `{"name": "n", "context": null, "status": "FAILED", "output": null}`
		fmt.Fprintf(w, `{"status": "success", "data": {"test": {"name": "boot", "status": "FAILED", "context": null, "results": [%s]}}}`,
			strings.Repeat(one+",", 12)+one)
	}
	p := a.start(t, home(t), "-json")
	p.deliver(t, fmt.Appendf(nil, `{"build_id": 9, "url": "%s/projects/acme/lmp/builds/9/", "status": "FAILED", "runs": [%s]}`,
		a.URL, strings.Join(runs, ",")))
	p.prints(t, "\n")
	lines := results(t, p.stop(t))
	require.Len(t, lines, 1)
	require.Equal(t, []any{
		`answer is too large: 3 failed results of test "boot" of run "r4" are omitted`,
		`answer is too large: the tests of 6 runs are omitted`,
		`answer is too large: 2 logs of failed runs are omitted`,
	}, lines[0]["missing"])
	tested := lines[0]["runs"].([]any)[4].(map[string]any)["tests"].([]any)[0].(map[string]any)
	require.Len(t, tested["failed"], 10)
}

func TestHostOfNotificationIsNotCalled(t *testing.T) {
	t.Parallel()
	known, other := newFakeAPI(t), newFakeAPI(t)
	p := known.start(t, home(t), "-api-wait", "1h")
	p.deliver(t, other.body(t))
	p.prints(t, "not fetched: ")
	out := p.stop(t)
	require.Contains(t, out, "host is not allowed")
	require.Zero(t, other.requests.Load())
	require.Zero(t, known.requests.Load())
}

func TestRehost(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	p := a.start(t, home(t), "-rehost", "-log-bytes", "100")
	p.deliver(t, bytes.ReplaceAll(fixture(t, "build.failed-boot.json"), []byte("https://api.example.com"), []byte("http://lci-web")))
	p.prints(t, "Kernel panic")
	p.stop(t)
}

func TestKillBeforePrintLosesNothing(t *testing.T) {
	t.Parallel()
	dir, a := home(t), newFakeAPI(t)
	hang := make(chan struct{})
	list := a.pages[bootTests]
	a.pages[bootTests] = func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
			list(w, r)
		case <-r.Context().Done():
		}
	}
	p := a.start(t, dir, "-api-timeout", "1h")
	p.deliver(t, a.body(t))
	p.counts(t, `hookhouse_deliveries{state="claimed",type="jobserv.build"} 1`)
	p.kill(t)
	require.Empty(t, p.out.String())

	close(hang)
	again := a.start(t, dir)
	again.prints(t, "Kernel panic")
	again.counts(t, `hookhouse_deliveries{state="done",type="jobserv.build"} 1`)
	require.Equal(t, 1, strings.Count(again.stop(t), "build 71"))
}

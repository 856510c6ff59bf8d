package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDetailsInText(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	p := a.start(t, home(t))
	p.deliver(t, a.body(t))
	p.prints(t, "Kernel panic")
	out := strings.ReplaceAll(p.stop(t), a.URL, "API")
	if out != `FAILED: acme/lmp build 71, platform-main, 14m10s
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

` {
		t.Fatalf("control characters are removed: out = %q, want %q", out, `FAILED: acme/lmp build 71, platform-main, 14m10s
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

`)
	}
	if got := a.unauthorized.Load(); got != 0 {
		t.Fatalf("every request has the token: a.unauthorized.Load() = %d, want 0", got)
	}
	if got := p.log.String(); strings.Contains(got, "token=") {
		t.Fatalf("p.log.String() = %q, want it not to contain \"token=\"", got)
	}
}

func TestDetailsInJSON(t *testing.T) {
	t.Parallel()
	a := newFakeAPI(t)
	p := a.start(t, home(t), "-json", "-log-bytes", "40")
	p.deliver(t, a.body(t))
	p.prints(t, "Kernel panic")
	lines := results(t, p.stop(t))
	if len(lines) != 1 {
		t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
	}
	if _, ok := lines[0]["missing"]; ok {
		t.Fatalf("lines[0] = %v, want it not to contain \"missing\"", lines[0])
	}
	boot := lines[0]["runs"].([]any)[1].(map[string]any)
	if boot["log_tail"] != "Kernel panic\a - not syncing\n" {
		t.Fatalf(`the tail starts at the beginning of a line: boot["log_tail"] = %v, want %v`, boot["log_tail"], "Kernel panic\a - not syncing\n")
	}
	if diff := cmp.Diff([]any{map[string]any{
		"name": "boot", "context": "rpi4", "status": "FAILED", "failed": []any{
			map[string]any{"name": "login", "context": "tty1", "status": "FAILED", "output": "no prompt\nfor 60 s"},
		},
	}}, boot["tests"]); diff != "" {
		t.Fatalf("boot[\"tests\"] (-want +got):\n%s", diff)
	}
	if run := lines[0]["runs"].([]any)[0].(map[string]any); run["log_tail"] != nil {
		t.Fatalf("the log of a passed run is fetched: %v", run)
	}
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
	if len(lines) != 1 {
		t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
	}
	if _, ok := lines[0]["missing"]; ok {
		t.Fatalf("lines[0] = %v, want it not to contain \"missing\"", lines[0])
	}
	if lines[0]["status"] != "FAILED" {
		t.Fatalf(`lines[0]["status"] = %v, want %v`, lines[0]["status"], "FAILED")
	}
	if got := logs.Load(); got != 3 {
		t.Fatalf("logs.Load() = %d, want 3", got)
	}
	if got := p.log.String(); !strings.Contains(got, `the API is not up to date yet`) {
		t.Fatalf("p.log.String() = %q, want it to contain %q", got, `the API is not up to date yet`)
	}
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
			if len(lines) != 1 {
				t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
			}
			if lines[0]["status"] != "FAILED" {
				t.Fatalf(`lines[0]["status"] = %v, want %v`, lines[0]["status"], "FAILED")
			}
			boot := lines[0]["runs"].([]any)[1].(map[string]any)
			if tt.says == "" {
				tail := boot["log_tail"].(string)
				if _, ok := lines[0]["missing"]; ok {
					t.Fatalf("lines[0] = %v, want it not to contain \"missing\"", lines[0])
				}
				if len(tail) > 4096 {
					t.Fatalf("len(tail) = %d, want at most 4096", len(tail))
				}
				if !(strings.HasPrefix(tail, long) && strings.HasSuffix(tail, long+"Kernel panic\n")) {
					t.Fatal(`strings.HasPrefix(tail, long) && strings.HasSuffix(tail, long+"Kernel panic\n") is false, want true`)
				}
				return
			}
			missing, _ := lines[0]["missing"].([]any)
			if len(missing) != 1 {
				t.Fatalf("missing = %v, want one entry", missing)
			}
			if got := missing[0].(string); !strings.Contains(got, tt.says) {
				t.Fatalf("missing = %q, want it to contain %q", got, tt.says)
			}
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
	if len(lines) != 1 {
		t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
	}
	if diff := cmp.Diff([]any{
		`answer is too large: 3 failed results of test "boot" of run "r4" are omitted`,
		`answer is too large: the tests of 6 runs are omitted`,
		`answer is too large: 2 logs of failed runs are omitted`,
	}, lines[0]["missing"]); diff != "" {
		t.Fatalf("lines[0][\"missing\"] (-want +got):\n%s", diff)
	}
	tested := lines[0]["runs"].([]any)[4].(map[string]any)["tests"].([]any)[0].(map[string]any)
	if failed, _ := tested["failed"].([]any); len(failed) != 10 {
		t.Fatalf("failed = %v, want 10 entries", failed)
	}
}

func TestHostOfNotificationIsNotCalled(t *testing.T) {
	t.Parallel()
	known, other := newFakeAPI(t), newFakeAPI(t)
	p := known.start(t, home(t), "-api-wait", "1h")
	p.deliver(t, other.body(t))
	p.prints(t, "not fetched: ")
	out := p.stop(t)
	if !strings.Contains(out, "host is not allowed") {
		t.Fatalf("out = %q, want it to contain \"host is not allowed\"", out)
	}
	if got := other.requests.Load(); got != 0 {
		t.Fatalf("other.requests.Load() = %d, want 0", got)
	}
	if got := known.requests.Load(); got != 0 {
		t.Fatalf("known.requests.Load() = %d, want 0", got)
	}
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
	p.counts(t, `hookhouse_claims_total{type="jobserv.build"} 1`)
	p.kill(t)
	if got := p.out.String(); got != "" {
		t.Fatalf("p.out.String() = %q, want empty", got)
	}

	close(hang)
	again := a.start(t, dir)
	again.prints(t, "Kernel panic")
	again.counts(t, `hookhouse_attempts_total{state="done",type="jobserv.build"} 1`)
	if got := strings.Count(again.stop(t), "build 71"); got != 1 {
		t.Fatalf(`strings.Count(again.stop(), "build 71") = %d, want %d`, got, 1)
	}
}

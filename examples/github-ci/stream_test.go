package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An event is one server-sent event.
type event struct{ id, name, data string }

// stream opens the event stream of a build and returns a function that returns the
// next event.
func (r *rig) stream(path, lastID string) (next func() (event, bool)) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.p.admin+path+"/events", nil)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", lastID)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		r.Fatalf(`res.Header.Get("Content-Type") = %q, want %q`, got, "text/event-stream")
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func() (event, bool) {
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e != (event{}) {
					return e, true
				}
			}
		}
		return e, false
	}
}

func TestPushIsBuiltWithLiveLog(t *testing.T) {
	r := newRig(t, "echo '<b>begin</b> & ümlaut'; env; cat file.txt; echo run >>$RUNS"+waitForGate+"echo the end")
	sha := r.repo.commit("main", "hello from the commit")
	r.start()
	first := r.push(pushed{after: sha, created: true})
	status, path := r.untilStatus(sha, "pending")
	if diff := cmp.Diff(commitStatus{"acme/app", sha, "pending", "building " + sha[:12], "github-ci", status.TargetURL}, status); diff != "" {
		t.Fatalf("status (-want +got):\n%s", diff)
	}

	// While the build runs: the stream, the page and the list.
	next := r.stream(path, "")
	var text strings.Builder
	middle := ""
	for !strings.Contains(text.String(), "hello from the commit") {
		e, ok := next()
		if !ok {
			t.Fatal("ok = false, want true")
		}
		if e.name == "" {
			var part string
			if err := json.Unmarshal([]byte(e.data), &part); err != nil {
				t.Fatal(err)
			}
			text.WriteString(part)
			middle = e.id
		} else {
			if want := (event{name: "state", data: `{"state":"running","detail":""}`}); e != want {
				t.Fatalf("event = %v, want %v", e, want)
			}
		}
	}
	if got := text.String(); strings.Contains(got, "\nthe end\n") {
		t.Fatalf("text.String() = %q, want it not to contain %q", got, "\nthe end\n")
	}
	page := r.page(path)
	if !strings.Contains(page, "&lt;b&gt;begin&lt;/b&gt; &amp; ümlaut") {
		t.Fatalf("page = %q, want it to contain \"&lt;b&gt;begin&lt;/b&gt; &amp; ümlaut\"", page)
	}
	if !strings.Contains(page, "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;") {
		t.Fatalf("page = %q, want it to contain \"&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;\"", page)
	}
	if strings.Contains(page, "<b>begin") {
		t.Fatalf("page = %q, want it not to contain \"<b>begin\"", page)
	}
	if got := r.page("/"); !strings.Contains(got, `class="running"`) {
		t.Fatalf(`r.page("/") = %q, want it to contain %q`, got, `class="running"`)
	}

	// The command's environment has only the documented variables.
	var names []string
	for line := range strings.Lines(text.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.Contains(name, " ") {
			names = append(names, name)
			if name == "HOME" {
				if !strings.HasPrefix(value, filepath.Join(r.dir, "data", "work")) {
					t.Fatalf(`%v: strings.HasPrefix(value, filepath.Join(r.dir, "data", "work")) is false, want true`, value)
				}
			}
		}
	}
	expected := []string{"PATH", "HOME", "TMPDIR", "CI", "CI_BUILD_ID", "CI_BUILD_URL", "CI_REPOSITORY", "CI_REF", "CI_BRANCH", "CI_COMMIT", "PWD", "OLDPWD", "SHLVL", "_"}
	for _, name := range names {
		if !slices.Contains(expected, name) {
			t.Fatalf("the command has the variable %s, want none but %v", name, expected)
		}
	}
	if got := text.String(); !strings.Contains(got, "CI_COMMIT="+sha+"\n") {
		t.Fatalf("text.String() = %q, want it to contain %q", got, "CI_COMMIT="+sha+"\n")
	}

	// The build ends, and so does the stream.
	r.openGate()
	for {
		e, ok := next()
		if !ok {
			t.Fatal("the stream ends without an event")
		}
		if e.name == "end" {
			if !strings.Contains(e.data, `"state":"success"`) {
				t.Fatalf("e.data = %q, want it to contain %q", e.data, `"state":"success"`)
			}
			break
		}
	}
	status, _ = r.untilStatus(sha, "success")
	if !strings.Contains(status.Description, "passed in") {
		t.Fatalf("status.Description = %q, want it to contain \"passed in\"", status.Description)
	}

	// After a restart the log is complete, and a reader resumes where it stopped.
	r.signalAndWait(syscall.SIGTERM)
	r.start()
	if got := r.page(path); !strings.Contains(got, "\nthe end\n") {
		t.Fatalf("r.page(path) = %q, want it to contain %q", got, "\nthe end\n")
	}
	if got := r.page(path + "/log"); !strings.Contains(got, "<b>begin</b> & ümlaut\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "<b>begin</b> & ümlaut\n")
	}
	e, ok := r.stream(path, middle)()
	if !ok {
		t.Fatal("ok = false, want true")
	}
	if e.name != "state" {
		t.Fatalf("e.name = %q, want \"state\"", e.name)
	}
	next = r.stream(path, middle)
	text.Reset()
	for e, ok = next(); ok; e, ok = next() {
		text.WriteString(e.data)
	}
	if got := text.String(); !strings.Contains(got, "the end") {
		t.Fatalf("text.String() = %q, want it to contain \"the end\"", got)
	}
	if got := text.String(); strings.Contains(got, "begin") {
		t.Fatalf("text.String() = %q, want it not to contain \"begin\"", got)
	}

	// A redelivery is a duplicate. A ping is answered and not stored.
	again := sender.Redeliver(t.Context(), first.GUID, r.p.url+"/hooks/github", "push", pushed{repository: "acme/app", ref: "refs/heads/main", after: sha, created: true}.body())
	if !again.Delivered {
		t.Fatal("again.Delivered is false, want true")
	}
	if !sender.Deliver(t.Context(), r.p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`)).Delivered {
		t.Fatal("got is false, want true")
	}
	other := r.repo.commit("main", "second")
	r.push(pushed{before: sha, after: other})
	r.untilStatus(other, "success")
	states, _ := r.hub.statusesOf(sha)
	if diff := cmp.Diff([]string{"pending", "success"}, states); diff != "" {
		t.Fatalf("states (-want +got):\n%s", diff)
	}
	if got := r.read(r.runs); got != "run\nrun\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\nrun\n")
	}
	r.hub.noFaults(t)
	r.signalAndWait(syscall.SIGTERM)

	// No file and no log contains the token or the secret.
	if got := r.p.logText(); strings.Contains(got, token) {
		t.Fatalf("r.p.logText() = %q, want it not to contain %q", got, token)
	}
	err := filepath.WalkDir(filepath.Join(r.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte(token)) || bytes.Contains(content, []byte(hookSecret)) {
				t.Fatalf("%s contains a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// An event is one server-sent event.
type event struct{ id, name, data string }

// stream opens the event stream of a build and returns a function that returns the
// next event.
func (r *rig) stream(path, lastID string) (next func() (event, bool)) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.p.url+path+"/events", nil)
	require.NoError(r, err)
	req.Header.Set("Last-Event-ID", lastID)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r, err)
	r.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(r, "text/event-stream", res.Header.Get("Content-Type"))
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
	require.Equal(t, commitStatus{"acme/app", sha, "pending", "building " + sha[:12], "github-ci", status.TargetURL}, status)

	// While the build runs: the stream, the page and the list.
	next := r.stream(path, "")
	var text strings.Builder
	middle := ""
	for !strings.Contains(text.String(), "hello from the commit") {
		e, ok := next()
		require.True(t, ok)
		if e.name == "" {
			var part string
			require.NoError(t, json.Unmarshal([]byte(e.data), &part))
			text.WriteString(part)
			middle = e.id
		} else {
			require.Equal(t, event{name: "state", data: `{"detail":"","state":"running"}`}, e)
		}
	}
	require.NotContains(t, text.String(), "\nthe end\n")
	page := r.page(path)
	require.Contains(t, page, "&lt;b&gt;begin&lt;/b&gt; &amp; ümlaut")
	require.Contains(t, page, "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;")
	require.NotContains(t, page, "<b>begin")
	require.Contains(t, r.page("/"), `class="running"`)

	// The command's environment has only the documented variables.
	var names []string
	for line := range strings.Lines(text.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.Contains(name, " ") {
			names = append(names, name)
			if name == "HOME" {
				require.True(t, strings.HasPrefix(value, filepath.Join(r.dir, "data", "work")), value)
			}
		}
	}
	require.Subset(t, []string{"PATH", "HOME", "CI", "CI_BUILD_ID", "CI_BUILD_URL", "CI_REPOSITORY", "CI_REF", "CI_BRANCH", "CI_COMMIT", "PWD", "OLDPWD", "SHLVL", "_"}, names)
	require.Contains(t, text.String(), "CI_COMMIT="+sha+"\n")

	// The build ends, and so does the stream.
	r.openGate()
	for {
		e, ok := next()
		require.True(t, ok, "the stream ends with an event")
		if e.name == "end" {
			require.Contains(t, e.data, `"state":"success"`)
			break
		}
	}
	status, _ = r.untilStatus(sha, "success")
	require.Contains(t, status.Description, "passed in")

	// After a restart the log is complete, and a reader resumes where it stopped.
	r.signalAndWait(syscall.SIGTERM)
	r.start()
	require.Contains(t, r.page(path), "\nthe end\n")
	require.Contains(t, r.page(path+"/log"), "<b>begin</b> & ümlaut\n")
	e, ok := r.stream(path, middle)()
	require.True(t, ok)
	require.Equal(t, "state", e.name)
	next = r.stream(path, middle)
	text.Reset()
	for e, ok = next(); ok; e, ok = next() {
		text.WriteString(e.data)
	}
	require.Contains(t, text.String(), "the end")
	require.NotContains(t, text.String(), "begin")

	// A redelivery is a duplicate. A ping is answered and not stored.
	again := sender.Redeliver(t.Context(), first.GUID, r.p.url+"/hooks/github", "push", pushed{repository: "acme/app", ref: "refs/heads/main", after: sha, created: true}.body())
	require.True(t, again.Delivered)
	require.True(t, sender.Deliver(t.Context(), r.p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`)).Delivered)
	other := r.repo.commit("main", "second")
	r.push(pushed{before: sha, after: other})
	r.untilStatus(other, "success")
	states, _ := r.hub.statusesOf(sha)
	require.Equal(t, []string{"pending", "success"}, states)
	require.Equal(t, "run\nrun\n", r.read(r.runs))
	r.hub.noFaults(t)
	r.signalAndWait(syscall.SIGTERM)

	// No file and no log contains the token or the secret.
	require.NotContains(t, r.p.logText(), token)
	require.NoError(t, filepath.WalkDir(filepath.Join(r.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.False(t, bytes.Contains(content, []byte(token)) || bytes.Contains(content, []byte(hookSecret)), path)
		}
		return err
	}))
}

package main

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// The inspector has the outbox: each comment that is published, and each delivery of it.
func TestInspectorShowsTheOutbox(t *testing.T) {
	p := startWith(t, t.TempDir(), []string{secretName + "=" + secret}, append([]string{"-admin-addr", "127.0.0.1:0"}, local...)...)
	g, to := &rig{url: p.url}, newSink(t)
	_, key := g.add(t, to.url)
	g.leave(t, "a comment to look at")
	to.next(t, 0)
	text := func(path string) string {
		body, err := io.ReadAll(ask(t, http.MethodGet, p.admin+inspectPath+path).Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	eventually(t, "the event and its delivery, both done", func() bool {
		return strings.Count(text("api/deliveries?state=done"), `"uid"`) == 2
	})
	for _, typ := range []string{"publish.event", "publish.delivery"} {
		if got := text("api/deliveries?type=" + typ); strings.Count(got, `"uid"`) != 1 || strings.Contains(got, key) {
			t.Errorf("%s: %s", typ, got)
		}
	}
	p.stop(t, syscall.SIGTERM)
}

// A process that only sends has the inspector, too, and ends while somebody looks.
func TestWorkerHasTheInspector(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program, "-worker", "-admin-addr", "127.0.0.1:0")
	cmd.Dir, cmd.Env = t.TempDir(), []string{}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log, admin := bufio.NewScanner(stderr), ""
	for admin == "" && log.Scan() {
		_, admin, _ = strings.Cut(log.Text(), "listening admin=")
	}
	live := bufio.NewReader(ask(t, http.MethodGet, admin+inspectPath+"api/live").Body)
	if _, err := live.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for log.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(live); err != nil {
		t.Errorf("the live list was cut off: %v", err)
	}
}

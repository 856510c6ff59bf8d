package main

import (
	"bufio"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// An exchange is a command of the session in README.md, and what it prints there.
type exchange struct {
	command string
	prints  []string
}

// readmeSession returns the session of README.md: the lines that begin with "$ ", each with
// those that follow it in its block.
func readmeSession(t *testing.T) (all []exchange) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case indented && isCommand:
			all, inside = append(all, exchange{command: command}), true
		case indented && inside:
			all[len(all)-1].prints = append(all[len(all)-1].prints, line)
		case line != "":
			inside = false
		}
	}
	return all
}

// deploys is the program of the session. While the registry does not answer, its pushes
// fail, and its pull requests are tried again in an hour.
func deploys(t *testing.T, r *rig) (url string, registry *atomic.Bool) {
	t.Helper()
	registry = new(atomic.Bool)
	var mux webhook.Mux
	unlessDown := func(err error) webhook.Handler {
		return webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			if registry.Load() {
				return nil
			}
			return err
		})
	}
	mux.Route("github.push", unlessDown(errors.New("pull acme/app: dial tcp 10.0.0.7:443: connection refused")))
	mux.Route("github.pull_request", unlessDown(webhook.RetryAfter(time.Hour, errors.New("the queue is full"))))
	worker := webhook.NewWorker(r.inbox, &mux)
	worker.Name, worker.MaxAttempts, worker.Retry = "web-1", 2, webhook.Backoff{First: time.Millisecond, Max: time.Millisecond}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	server := httptest.NewServer(webhook.NewReceiver(github.Source(webhook.NewSecret(testSecret)), webhook.Store(r.inbox)))
	t.Cleanup(func() {
		server.Close()
		stop()
		<-ended
	})
	return server.URL, registry
}

// settled waits until the program has nothing to do. Stats reads the states before what is
// due, and a delivery may be claimed between: so it must say so twice.
func (r *rig) settled(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for idle := 0; idle < 2; idle++ {
		stats, err := r.inbox.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if busy(stats) {
			idle = -1
		}
		select {
		case <-ctx.Done():
			t.Fatal("the program is busy")
		case <-tick.C:
		}
	}
}

// busy reports whether a delivery is claimed, or could be.
func busy(stats webhook.Stats) bool {
	for typ, states := range stats.Types {
		_, due := stats.Oldest[typ]
		paused := slices.ContainsFunc(stats.Paused, func(p webhook.Pause) bool { return p.Type == typ })
		if states[webhook.Claimed] > 0 || due && !paused {
			return true
		}
	}
	return false
}

// what differs from run to run.
var (
	uids  = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	guids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	times = regexp.MustCompile(`\b\d{4}-\d\d-\d\d([ T]\d\d:\d\d:[\d.]+(Z| [A-Z]+)?)?|\bnow\b|\b(in )?\d+(\.\d+)? ?(ms|s|min|h)( ago)?\b|\(devel\)`)
	macs  = regexp.MustCompile(`mac:[0-9a-f]{8}`)
	gaps  = regexp.MustCompile(` +`)
)

// alike returns lines without what differs from run to run.
func alike(lines []string) (all []string) {
	for _, line := range lines {
		line = guids.ReplaceAllString(line, "GUID")
		line = macs.ReplaceAllString(line, "mac:MAC")
		line = times.ReplaceAllString(line, "TIME")
		all = append(all, strings.TrimRight(gaps.ReplaceAllString(line, " "), " "))
	}
	return all
}

// TestTheSessionOfTheReadme runs the commands of README.md and compares what they print.
func TestTheSessionOfTheReadme(t *testing.T) {
	session := readmeSession(t)
	r := newRig(t)
	url, registry := deploys(t, r)
	inspector, _ := r.inspector(t)
	here := httptest.NewServer(webhook.NewReceiver(github.Source(webhook.NewSecret(testSecret)), webhook.Store(&webhook.MemInbox{})))
	defer here.Close()
	places := strings.NewReplacer("http://localhost:8080/hooks/github", url, "https://service.example.com/debug/hooks/", inspector,
		"http://localhost:9090/hooks/github", here.URL)
	known := make(map[string]string) // UIDs, by those of the README
	seen := make(map[string]bool)
	for _, e := range session {
		command := places.Replace(e.command)
		for there, uid := range known {
			command = strings.ReplaceAll(command, there, uid)
		}
		if strings.Contains(command, "resume") {
			registry.Store(true)
		}
		printed := r.shell(t, command, len(e.prints))
		r.settled(t)
		there, uid := uids.FindAllString(strings.Join(e.prints, "\n"), -1), uids.FindAllString(strings.Join(printed, "\n"), -1)
		for i := range min(len(there), len(uid)) {
			known[there[i]] = uid[i]
		}
		want := strings.Join(e.prints, "\n")
		for there, uid := range known {
			want = strings.ReplaceAll(want, there, uid)
		}
		if d := cmp.Diff(alike(strings.Split(want, "\n")), alike(printed)); d != "" {
			t.Errorf("%s: -README +run\n%s", e.command, d)
		}
		seen[strings.Fields(e.command)[1]] = true
	}
	for _, c := range commands() {
		if !seen[c.name] {
			t.Errorf("the session has no %s", c.name)
		}
	}
}

// shell runs a command line as a shell does, and returns the lines that it prints. It ends
// tail and forward by Ctrl-C after some lines, of which forward prints the last at its end.
func (r *rig) shell(t *testing.T, line string, lines int) (printed []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec "+strings.Replace(line, "hookhouse", program, 1))
	cmd.Env = append(append(os.Environ(), opsEnv...), "HOOKHOUSE_DB="+r.database, "GITHUB_WEBHOOK_SECRET="+testSecret)
	out, err := cmd.StdoutPipe()
	cmd.Stderr = cmd.Stdout
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for scan := bufio.NewScanner(out); scan.Scan(); {
		printed = append(printed, scan.Text())
		if strings.Contains(line, " tail") && len(printed) == lines || strings.Contains(line, " forward") && len(printed) == lines-1 {
			_ = cmd.Process.Signal(syscall.SIGINT)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v: %s", line, err, printed)
	}
	return printed
}

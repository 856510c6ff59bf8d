package main

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// A gate lets calls pass to a service, unless it is shut.
type gate struct {
	*httptest.Server
	isShut atomic.Bool
	opened atomic.Int64 // live lists
}

func newGate(t *testing.T, r *rig) *gate {
	t.Helper()
	_, in := r.inspector(t)
	g := new(gate)
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", in)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.isShut.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if r.URL.Path == "/debug/hooks/api/live" {
			g.opened.Add(1)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { g.CloseClientConnections(); g.Close() })
	return g
}

// shut ends all connections, and refuses further ones.
func (g *gate) shut() {
	g.isShut.Store(true)
	g.CloseClientConnections()
}

// A lockedBuffer may be read while a program writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running starts the program with the environment of ops. Its standard output is read by the
// follower.
func running(t *testing.T, env []string, args ...string) (*follower, *lockedBuffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append([]string{"USER=oncall", "HOME=" + t.TempDir()}, env...)
	notes := new(lockedBuffer)
	cmd.Stderr = notes
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &follower{cmd, bufio.NewScanner(out)}, notes
}

// TestTailOfAServiceMissesNothing: what happens while the connection is lost is printed when
// it is back, and nothing twice.
func TestTailOfAServiceMissesNothing(t *testing.T) {
	r := newRig(t)
	g := newGate(t, r)
	old := r.done(t, "github.push", "a")
	waiting := r.put(t, "github.push", "b")
	f, notes := running(t, opsEnv, "tail", "-json", "-url", g.URL+"/debug/hooks/")
	f.expect(t, event{old, "done"}, event{waiting, "waiting"}) // the newest, oldest first
	r.put(t, "jobserv.build", "c")
	next := f.next(t)
	uid := next.uid
	c := r.claim(t, uid)
	f.expect(t, event{uid, "claimed"})
	if _, err := r.inbox.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	f.expect(t, event{uid, "done"})

	g.shut()
	eventually(t, "the loss is noted", func() bool { return notes.String() != "" })
	r.settle(t, waiting, webhook.Outcome{State: webhook.Dead, Reason: "no"})
	var missed []event
	missed = append(missed, event{waiting, "dead"})
	for range 60 { // more than the first update has
		missed = append(missed, event{r.put(t, "kudu.PostDeployment", "d"), "waiting"})
	}
	for i := range missed[2:] {
		missed[i+2].state = "blocked"
	}
	opened := g.opened.Load()
	g.isShut.Store(false)
	f.expect(t, missed...)
	if g.opened.Load() == opened {
		t.Error("the live list was not opened again")
	}
	last := r.put(t, "github.push", "e")
	f.expect(t, event{last, "waiting"})
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if f.out.Scan() {
		t.Errorf("after Ctrl-C: %s", f.out.Text())
	}
	if err := f.cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
}

func TestTailOfAServiceFilters(t *testing.T) {
	r := newRig(t)
	g := newGate(t, r)
	r.dead(t, "github.push", "a", "no")
	ready := r.dead(t, "jobserv.build", "a", "no")
	f, _ := running(t, opsEnv, "tail", "-json", "-url", g.URL+"/debug/hooks/", "-type", "jobserv.build", "-state", "dead")
	f.expect(t, event{ready, "dead"})
	r.dead(t, "github.push", "b", "no")
	r.done(t, "jobserv.build", "b")
	last := r.dead(t, "jobserv.build", "c", "no")
	f.expect(t, event{last, "dead"})
}

// TestAHostileServiceControlsNoTerminal: whatever it answers is printed inert.
func TestAHostileServiceControlsNoTerminal(t *testing.T) {
	const evil = `\u001b[2J\u202e\nforged\u009b`
	rec := `{"uid":"` + evil + `","seq":9,"source":"` + evil + `","id":"` + evil + `","type":"` + evil + `","key":"` + evil + `","state":"` + evil + `",` +
		`"reason":"` + evil + `","key_label":"` + evil + `","size":3,"malformed":"` + evil + `","damage":"` + evil + `","header":{"` + evil + `":["` + evil + `"]},` +
		`"dedup_keys":["` + evil + `"],"replays":[{"by":"` + evil + `","why":"` + evil + `","was":"` + evil + `"}],"attempts":[{"state":"` + evil + `","reason":"` + evil + `","by":"` + evil + `"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api/deliveries":
			_, _ = w.Write([]byte(`{"deliveries":[` + rec + `]}`))
		case "/api/delivery":
			_, _ = w.Write([]byte(rec))
		case "/api/overview":
			_, _ = w.Write([]byte(`{"count":{"` + evil + `":{"n":3}},"oldest_seconds":{"` + evil + `":3e300},"paused":[{"type":"` + evil + `","by":"` + evil + `","why":"` + evil + `"}]}`))
		default:
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"error":"` + evil + `"}`))
		}
	}))
	defer server.Close()
	uid := "\x1b[2J\u202e\nforged\u009b"
	for _, args := range [][]string{
		{"list"}, {"list", "-json"}, {"show", uid}, {"show", uid, "-json"}, {"show", uid, "-body"}, {"attempts", uid}, {"attempts", uid, "-json"}, {"stats"}, {"stats", "-json"},
		{"bury", uid, "-why", "x"}, {"bury", "-type", "x", "-why", "x", "-yes"}, {"replay", uid, "-why", "x"}, {"pause", "-all", "-why", "x"}, {"release", uid},
	} {
		args = append(args, "-url", server.URL)
		got := hookhouse(t, nil, args...)
		if printed := got.out + got.err; printed == "" || strings.ContainsAny(printed, "\x1b\u202e\u009b") || strings.Contains(printed, "\nforged") {
			t.Errorf("%q prints %q", args, printed)
		}
	}
}

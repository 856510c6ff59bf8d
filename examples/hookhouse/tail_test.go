package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A follower is a running tail -json.
type follower struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

func follow(t *testing.T, r *rig, args ...string) *follower {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"tail", "-json", "-interval", "100ms", "-db", r.database}, args...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &follower{cmd, bufio.NewScanner(out)}
}

// An event is what the tests compare of a line.
type event struct {
	uid   string
	state webhook.State
}

// next reads a line.
func (f *follower) next(t *testing.T) event {
	t.Helper()
	if !f.out.Scan() {
		t.Fatalf("tail has ended: %v", f.out.Err())
	}
	var rec record
	if err := json.Unmarshal(f.out.Bytes(), &rec); err != nil {
		t.Fatal(err)
	}
	return event{rec.UID, webhook.State(rec.State)}
}

func (f *follower) expect(t *testing.T, want ...event) {
	t.Helper()
	for _, w := range want {
		if d := cmp.Diff(w, f.next(t), cmp.AllowUnexported(event{})); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
	}
}

func TestTailFollowsNewAndChangedDeliveries(t *testing.T) {
	onEachDatabase(t, testTailFollowsNewAndChangedDeliveries)
}

func testTailFollowsNewAndChangedDeliveries(t *testing.T, r *rig) {
	old, dead := r.done(t, "github.push", "a"), r.dead(t, "github.push", "b", "no")
	f := follow(t, r)
	f.expect(t, event{old, "done"}, event{dead, "dead"}) // the newest, oldest first

	uid := r.put(t, "github.push", "c")
	f.expect(t, event{uid, "waiting"})
	c := r.claim(t, uid)
	f.expect(t, event{uid, "claimed"})
	if _, err := r.inbox.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	f.expect(t, event{uid, "done"})
	if _, err := r.inbox.Replay(t.Context(), webhook.Filter{UID: dead}, webhook.Note{By: "jane"}); err != nil {
		t.Fatal(err)
	}
	f.expect(t, event{dead, "waiting"})

	// Ctrl-C is the regular end.
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

func TestTailFilters(t *testing.T) { onEachDatabase(t, testTailFilters) }

func testTailFilters(t *testing.T, r *rig) {
	r.dead(t, "github.push", "a", "no")
	ready := r.dead(t, "jobserv.build", "a", "no")
	f := follow(t, r, "-type", "jobserv.build", "-state", "dead")
	f.expect(t, event{ready, "dead"})
	r.dead(t, "github.push", "b", "no")
	r.done(t, "jobserv.build", "b")
	last := r.dead(t, "jobserv.build", "c", "no")
	f.expect(t, event{last, "dead"})
}

// A delivery that is older than the window is watched while it is unfinished.
func TestTailWatchesOlderUnfinishedDeliveries(t *testing.T) {
	onEachDatabase(t, testTailWatchesOlderUnfinishedDeliveries)
}

func testTailWatchesOlderUnfinishedDeliveries(t *testing.T, r *rig) {
	old := r.put(t, "jobserv.build", "a")
	for range tailWindow {
		r.put(t, "github.push", "")
	}
	f := follow(t, r, "-limit", "1")
	f.next(t)
	if err := r.inbox.Bury(t.Context(), old, webhook.Note{By: "jane"}); err != nil {
		t.Fatal(err)
	}
	f.expect(t, event{old, "dead"})
	for range tailWindow + 20 { // more than a window at once
		r.put(t, "github.ping", "")
	}
	for range tailWindow + 20 {
		f.next(t)
	}
}

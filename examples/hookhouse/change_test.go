package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestReplayOne(t *testing.T) { onEachDatabase(t, testReplayOne) }

func testReplayOne(t *testing.T, r *rig) {
	uid := r.done(t, "github.push", "acme/app")
	out := succeed(t, "replay", uid, "-why", "the target is back", "-db", r.database)
	if out != "replayed 1 delivery\n" {
		t.Errorf("printed %q", out)
	}
	rec := r.get(t, uid)
	want := webhook.Replay{Note: webhook.Note{By: "oncall", Why: "the target is back"}, Was: webhook.Done}
	if len(rec.Replays) != 1 {
		t.Fatalf("%d replays, want 1", len(rec.Replays))
	}
	rec.Replays[0].At, rec.Replays[0].By = time.Time{}, cmpName(rec.Replays[0].By)
	if d := cmp.Diff(want, rec.Replays[0]); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	again := hookhouse(t, nil, "replay", uid, "-db", r.database)
	if again.code != exitFailed || !strings.Contains(again.err, "not possible in this state: "+uid+" is waiting") {
		t.Errorf("of a waiting one: %+v", again)
	}
}

// cmpName returns "oncall" for the login name, whatever it is where the test runs.
func cmpName(by string) string {
	if by == loginName() {
		return "oncall"
	}
	return by
}

func TestReplayMany(t *testing.T) { onEachDatabase(t, testReplayMany) }

func testReplayMany(t *testing.T, r *rig) {
	dead := []string{
		r.dead(t, "github.push", "acme/a", "connection refused"), r.dead(t, "github.push", "acme/b", "connection refused"),
		r.dead(t, "jobserv.build", "acme/c", "connection refused"),
	}
	other := r.dead(t, "github.push", "acme/d", "bad syntax")
	done := r.done(t, "github.push", "acme/e")
	args := []string{"replay", "-db", r.database, "-text", "connection refused", "-by", "jane", "-why", "registry is back"}

	asked := hookhouse(t, nil, args...)
	if asked.code != exitUsage || !strings.Contains(asked.err, "3 deliveries match: 2 dead github.push, 1 dead jobserv.build\n") || !strings.Contains(asked.err, "set -yes") {
		t.Errorf("without a terminal and -yes: %+v", asked)
	}
	if d := cmp.Diff([]webhook.State{"dead", "dead", "dead", "dead", "done"}, r.states(t, append(dead, other, done)...)); d != "" {
		t.Errorf("without -yes: -want +got\n%s", d)
	}
	got := objects[message](t, succeed(t, append(args, "-yes", "-json")...))
	if d := cmp.Diff([]message{{Did: "replayed", Count: 3, By: "jane", Why: "registry is back"}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]webhook.State{"waiting", "waiting", "waiting", "dead", "done"}, r.states(t, append(dead, other, done)...)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if none := hookhouse(t, nil, append(args, "-yes")...); none.code != exitNothing {
		t.Errorf("once more: %+v", none)
	}
}

func TestReplayAtARate(t *testing.T) { onEachDatabase(t, testReplayAtARate) }

func testReplayAtARate(t *testing.T, r *rig) {
	first, second := r.dead(t, "github.push", "a", ""), r.dead(t, "github.push", "b", "")
	succeed(t, "replay", "-db", r.database, "-state", "dead", "-every", "10m", "-yes")
	if gap := r.get(t, second).Due.Sub(r.get(t, first).Due); gap < 9*time.Minute || gap > 11*time.Minute {
		t.Errorf("the second is due %v after the first, want 10m", gap)
	}
}

func TestBury(t *testing.T) { onEachDatabase(t, testBury) }

func testBury(t *testing.T, r *rig) {
	head, next, last := r.put(t, "github.push", "acme/app"), r.put(t, "github.push", "acme/app"), r.put(t, "github.push", "acme/app")
	succeed(t, "bury", head, "-db", r.database, "-by", "jane", "-why", "the repository is gone")
	if d := cmp.Diff([]webhook.State{"dead", "waiting", "blocked"}, r.states(t, head, next, last)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if got := r.get(t, head).Reason; got != "buried by jane: the repository is gone" {
		t.Errorf("reason %q", got)
	}
	got := objects[message](t, succeed(t, "bury", "-key", "acme/app", "-yes", "-db", r.database, "-by", "jane", "-json"))
	if d := cmp.Diff([]message{{Did: "buried", Count: 2, By: "jane"}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]webhook.State{"dead", "dead", "dead"}, r.states(t, head, next, last)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestBuryOfAClaimedOneIsRefused(t *testing.T) { onEachDatabase(t, testBuryOfAClaimedOneIsRefused) }

func testBuryOfAClaimedOneIsRefused(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	r.claim(t, uid)
	if got := hookhouse(t, nil, "bury", uid, "-db", r.database); got.code != exitFailed || !strings.Contains(got.err, uid+" is claimed") {
		t.Errorf("%+v", got)
	}
}

func TestRelease(t *testing.T) { onEachDatabase(t, testRelease) }

func testRelease(t *testing.T, r *rig) {
	var uids []string
	for _, key := range []string{"a", "b"} {
		uid := r.put(t, "github.push", key)
		r.settle(t, uid, webhook.Outcome{State: webhook.Waiting, Reason: "connection refused", Delay: time.Hour})
		uids = append(uids, uid)
	}
	if out := succeed(t, "release", "-text", "refused", "-db", r.database, "-yes"); out != "released 2 deliveries\n" {
		t.Errorf("printed %q", out)
	}
	for _, uid := range uids {
		if due := r.get(t, uid).Due; due.After(time.Now()) {
			t.Errorf("due %v", due)
		}
	}
	r.claim(t, uids[1]) // released first, as the newer one
	succeed(t, "release", uids[1], "-db", r.database)
	if s := r.get(t, uids[1]).State; s != webhook.Waiting {
		t.Errorf("a released claim is %s", s)
	}
}

func TestDiscard(t *testing.T) { onEachDatabase(t, testDiscard) }

func testDiscard(t *testing.T, r *rig) {
	dead, done := r.dead(t, "github.push", "a", "no"), r.done(t, "github.push", "b")
	waiting := r.put(t, "github.push", "c")
	if got := hookhouse(t, nil, "discard", waiting, "-db", r.database); got.code != exitFailed || !strings.Contains(got.err, "is waiting") {
		t.Errorf("of a waiting one: %+v", got)
	}
	got := hookhouse(t, nil, "discard", "-type", "github.push", "-limit", "1", "-yes", "-v", "-by", "jane", "-why", "a test", "-db", r.database)
	if got.code != 0 || got.out != "discarded 1 delivery\n" || !strings.Contains(got.err, `by=jane why="a test"`) {
		t.Errorf("%+v", got)
	}
	left := objects[record](t, succeed(t, "list", "-json", "-db", r.database))
	if len(left) != 2 || left[0].UID != waiting || left[1].UID != dead {
		t.Errorf("left %+v, want all but the newest finished one, %s", left, done)
	}
}

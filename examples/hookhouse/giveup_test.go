package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestGiveUp(t *testing.T) { onEachDatabase(t, testGiveUp) }

func testGiveUp(t *testing.T, r *rig) {
	head, next := r.put(t, "github.push", "acme/gone"), r.put(t, "github.push", "acme/gone")
	other := r.put(t, "github.push", "acme/app")
	args := []string{"give-up", "-key", "acme/gone", "-by", "jane", "-why", "the repository is gone", "-db", r.database}

	asked := hookhouse(t, nil, args...)
	if asked.code != exitUsage || !strings.Contains(asked.err, "2 deliveries match: 1 blocked github.push, 1 waiting github.push\n") || !strings.Contains(asked.err, "set -yes to give up 2 deliveries") {
		t.Errorf("without a terminal and -yes: %+v", asked)
	}
	if d := cmp.Diff([]webhook.State{"waiting", "blocked", "waiting"}, r.states(t, head, next, other)); d != "" {
		t.Errorf("without -yes: -want +got\n%s", d)
	}
	if out := succeed(t, append(args, "-yes")...); out != "gave up 2 deliveries\n" {
		t.Errorf("printed %q", out)
	}
	if d := cmp.Diff([]webhook.State{"dead", "dead", "waiting"}, r.states(t, head, next, other)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if got := r.get(t, next).Reason; got != "given up by jane: the repository is gone" {
		t.Errorf("reason %q", got)
	}
	if none := hookhouse(t, nil, append(args, "-yes")...); none.code != exitNothing {
		t.Errorf("once more: %+v", none)
	}
}

func TestGiveUpAsIgnored(t *testing.T) { onEachDatabase(t, testGiveUpAsIgnored) }

func testGiveUpAsIgnored(t *testing.T, r *rig) {
	a, b := r.put(t, "github.push", "a"), r.put(t, "jobserv.build", "b")
	claimed := r.put(t, "kudu.PostDeployment", "c")
	r.claim(t, claimed)
	got := objects[message](t, succeed(t, "give-up", "-all", "-as", "ignored", "-yes", "-json", "-by", "jane", "-db", r.database))
	if d := cmp.Diff([]message{{Did: "gave up", As: "ignored", All: true, Count: 2, By: "jane"}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]webhook.State{"ignored", "ignored", "claimed"}, r.states(t, a, b, claimed)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestGiveUpOne(t *testing.T) { onEachDatabase(t, testGiveUpOne) }

func testGiveUpOne(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	r.claim(t, uid)
	if got := hookhouse(t, nil, "give-up", uid, "-db", r.database); got.code != exitFailed || !strings.Contains(got.err, uid+" is claimed") {
		t.Errorf("of a claimed one: %+v", got)
	}
	if got := hookhouse(t, nil, "give-up", "none", "-db", r.database); got.code != exitNothing || !strings.Contains(got.err, `no delivery "none"`) {
		t.Errorf("of none: %+v", got)
	}
	succeed(t, "release", uid, "-db", r.database)
	got := hookhouse(t, nil, "give-up", uid, "-by", "jane", "-why", "a test", "-v", "-db", r.database)
	if got.code != 0 || got.out != "gave up 1 delivery\n" || !strings.Contains(got.err, `by=jane why="a test"`) {
		t.Errorf("%+v", got)
	}
	if s := r.get(t, uid).State; s != webhook.Dead {
		t.Errorf("it is %s", s)
	}
}

func TestReleaseKey(t *testing.T) { onEachDatabase(t, testReleaseKey) }

func testReleaseKey(t *testing.T, r *rig) {
	head, next := r.put(t, "github.push", "acme/app"), r.put(t, "github.push", "acme/app")
	r.settle(t, head, webhook.Outcome{State: webhook.Waiting, Reason: "not now", Delay: time.Hour})
	args := []string{"release-key", "acme/app", "-source", "github", "-db", r.database}
	if out := succeed(t, args...); out != "released the next delivery of acme/app\n" {
		t.Errorf("printed %q", out)
	}
	if due := r.get(t, head).Due; due.After(time.Now()) {
		t.Errorf("due %v", due)
	}
	want := []message{{Did: "released", Source: "github", Key: "acme/app"}}
	if d := cmp.Diff(want, objects[message](t, succeed(t, append(args, "-json")...))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	r.claim(t, head)
	if got := hookhouse(t, nil, args...); got.code != exitFailed || !strings.Contains(got.err, "is claimed") {
		t.Errorf("of a claimed one: %+v", got)
	}
	if d := cmp.Diff([]webhook.State{"claimed", "blocked"}, r.states(t, head, next)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	other := hookhouse(t, nil, "release-key", "-key", "acme/app", "-source", "jobserv", "-db", r.database)
	if other.code != exitNothing || !strings.Contains(other.err, `jobserv has no unfinished delivery with ordering key "acme/app"`) {
		t.Errorf("of another source: %+v", other)
	}
}

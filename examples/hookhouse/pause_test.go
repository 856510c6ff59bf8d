package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// secondsAgo is what a slow machine prints for "now".
var secondsAgo = regexp.MustCompile(`[0-9]+ s ago`)

func TestPauseAndResume(t *testing.T) { onEachDatabase(t, testPauseAndResume) }

func testPauseAndResume(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	if out := succeed(t, "pause", "github.push", "-by", "jane", "-why", "registry is down", "-db", r.database); out != "paused github.push\n" {
		t.Errorf("printed %q", out)
	}
	if claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{}); err != nil || len(claims) > 0 {
		t.Errorf("claimed %v while paused: %v", claims, err)
	}
	if got := hookhouse(t, nil, "pause", "-type", "github.push", "-db", r.database); got.code != exitFailed || !strings.Contains(got.err, `there is a pause of type "github.push" already`) {
		t.Errorf("a second pause: %+v", got)
	}
	succeed(t, "pause", "-all", "-by", "joe", "-db", r.database)

	out := secondsAgo.ReplaceAllString(succeed(t, "stats", "-db", r.database), "now")
	for _, want := range []string{"paused: all types, now by joe; it blocks 0\n", "paused: github.push, now by jane: registry is down; it blocks 0\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	succeed(t, "resume", "-all", "-db", r.database)
	succeed(t, "resume", "github.push", "-db", r.database)
	if got := hookhouse(t, nil, "resume", "github.push", "-db", r.database); got.code != exitFailed || !strings.Contains(got.err, `there is no pause of type "github.push"`) {
		t.Errorf("a second resume: %+v", got)
	}
	r.claim(t, uid)
}

func TestStats(t *testing.T) { onEachDatabase(t, testStats) }

func testStats(t *testing.T, r *rig) {
	r.dead(t, "github.push", "a", "no")
	r.put(t, "github.push", "b")
	r.done(t, "jobserv.build", "c")
	if err := r.inbox.Pause(t.Context(), "github.push", webhook.Note{By: "jane"}); err != nil {
		t.Fatal(err)
	}
	got := objects[summary](t, succeed(t, "stats", "-json", "-db", r.database))[0]
	if got.Types[0].OldestDueMS <= 0 || time.Since(got.Paused[0].At) > time.Minute {
		t.Errorf("%+v", got)
	}
	got.Types[0].OldestDueMS, got.Paused[0].At = 0, time.Time{}
	want := summary{
		Counts: map[webhook.State]int{"dead": 1, "waiting": 1, "done": 1},
		Types: []typeSummary{
			{Type: "github.push", Counts: map[webhook.State]int{"dead": 1, "waiting": 1}},
			{Type: "jobserv.build", Counts: map[webhook.State]int{"done": 1}},
		},
		Paused: []pauseSummary{{Type: "github.push", By: "jane", Blocked: new(int)}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	out := succeed(t, "stats", "-db", r.database)
	if line := strings.Split(out, "\n")[1]; !strings.HasPrefix(line, "github.push             1           0           0           0           1  ") {
		t.Errorf("%q in\n%s", line, out)
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestListFilters(t *testing.T) { onEachDatabase(t, testListFilters) }

func testListFilters(t *testing.T, r *rig) {
	uids := map[string]string{
		"dead":    r.dead(t, "github.push", "acme/app", "dial tcp: Connection refused"),
		"done":    r.done(t, "github.push", "acme/lib"),
		"waiting": r.put(t, "jobserv.build", "acme/app"),
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string // newest first
	}{
		{"all", nil, []string{"waiting", "done", "dead"}},
		{"source", []string{"-source", "jobserv"}, []string{"waiting"}},
		{"type", []string{"-type", "github.push"}, []string{"done", "dead"}},
		{"key", []string{"-key", "acme/app"}, []string{"waiting", "dead"}},
		{"id of the sender", []string{"-id", "id-acme/lib"}, []string{"done"}},
		{"states", []string{"-state", "dead, done"}, []string{"done", "dead"}},
		{"text in any case", []string{"-text", "connection REFUSED"}, []string{"dead"}},
		{"uid", []string{"-uid", uids["done"]}, []string{"done"}},
		{"since a while ago", []string{"-since", "1h"}, []string{"waiting", "done", "dead"}},
		{"until a day", []string{"-until", "2026-01-01"}, nil},
		{"since a time", []string{"-since", time.Now().Add(time.Hour).Format(time.RFC3339)}, nil},
		{"limit", []string{"-limit", "2"}, []string{"waiting", "done"}},
		{"several", []string{"-type", "github.push", "-state", "dead", "-key", "acme/app"}, []string{"dead"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := hookhouse(t, nil, append([]string{"list", "-json", "-db", r.database}, tt.args...)...)
			var names []string
			for _, rec := range objects[record](t, got.out) {
				for name, uid := range uids {
					if rec.UID == uid {
						names = append(names, name)
					}
				}
			}
			if d := cmp.Diff(tt.want, names); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if wantCode := map[bool]int{true: exitNothing, false: 0}[tt.want == nil]; got.code != wantCode {
				t.Errorf("exit %d, want %d: %s", got.code, wantCode, got.err)
			}
		})
	}
}

func TestListAsText(t *testing.T) { onEachDatabase(t, testListAsText) }

func testListAsText(t *testing.T, r *rig) {
	uid := r.dead(t, "github.push", "acme/app\x1b[2J\nforged", "first line\nsecond \x1b[31mred")
	out := succeed(t, "list", "-db", r.database)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want a heading and one delivery:\n%s", len(lines), out)
	}
	for _, want := range []string{uid, "dead", "github.push", `acme/app\x1b[2J\nforged`, `attempt 1; first line\nsecond \x1b[31mred`} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("no %q in %q", want, lines[1])
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("a control character or a color where nobody sees it: %q", out)
	}
}

func TestListSaysWhatADeliveryWaitsFor(t *testing.T) {
	onEachDatabase(t, testListSaysWhatADeliveryWaitsFor)
}

func testListSaysWhatADeliveryWaitsFor(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	r.settle(t, uid, webhook.Outcome{State: webhook.Waiting, Reason: "try later", Delay: time.Hour})
	if out := succeed(t, "list", "-db", r.database); !strings.Contains(out, "attempt 1; due in 59 min; try later") {
		t.Errorf("a retry: %s", out)
	}
	claimed := r.put(t, "jobserv.build", "acme/app")
	r.claim(t, claimed)
	if out := succeed(t, "list", "-db", r.database, "-state", "claimed"); !strings.Contains(out, "lease ends in 59 min") {
		t.Errorf("a claim: %s", out)
	}
	rec := objects[record](t, succeed(t, "list", "-json", "-db", r.database, "-state", "claimed"))[0]
	if got := time.Until(rec.LeaseUntil); got < 50*time.Minute || got > time.Hour || !rec.DueAt.IsZero() {
		t.Errorf("lease_until %v, due_at %v", rec.LeaseUntil, rec.DueAt)
	}
}

func TestListReadsAPageAtATime(t *testing.T) { onEachDatabase(t, testListReadsAPageAtATime) }

func testListReadsAPageAtATime(t *testing.T, r *rig) {
	for range 120 {
		r.put(t, "github.push", "")
	}
	got := hookhouse(t, nil, "list", "-db", r.database)
	if n := strings.Count(got.out, "\n"); n != 1+defaultListed || !strings.Contains(got.err, "the newest 50; -limit 0 lists all") {
		t.Errorf("%d lines, %q", n, got.err)
	}
	all := objects[record](t, succeed(t, "list", "-json", "-limit", "0", "-db", r.database))
	if len(all) != 120 {
		t.Errorf("%d listed, want 120", len(all))
	}
	for i, rec := range all[1:] {
		if rec.Seq >= all[i].Seq {
			t.Fatalf("seq %d after %d", rec.Seq, all[i].Seq)
		}
	}
}

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestEveryCommandPrintsJSON(t *testing.T) { onEachDatabase(t, testEveryCommandPrintsJSON) }

func testEveryCommandPrintsJSON(t *testing.T, r *rig) {
	const hostile = "acme\u009b31m\u202e\x7f"
	dead, again := r.dead(t, "github.push", hostile, "no "+hostile), r.dead(t, "github.push", "again", "no")
	waiting, late := r.put(t, "jobserv.build", hostile), r.put(t, "kudu.PostDeployment", "late")
	r.settle(t, late, webhook.Outcome{State: webhook.Waiting, Reason: hostile, Delay: 1 << 40})
	tested := map[string]bool{"tail": true, "send": true, "forward": true} // these have tests of their own
	for _, args := range [][]string{
		{"list"}, {"show", dead}, {"attempts", late}, {"pause", "github.push"}, {"pause", "-all"}, {"stats"},
		{"resume", "github.push"}, {"resume", "-all"}, {"replay", again}, {"bury", waiting}, {"release", late}, {"discard", dead},
		{"release-key", "late", "-source", "kudu"}, {"give-up", late},
	} {
		tested[args[0]] = true
		out := succeed(t, append(args, "-json", "-db", r.database)...)
		objects[map[string]any](t, out)
		if out == "" || strings.ContainsAny(out, "\u009b\u202e\x7f\x1b") {
			t.Errorf("%s: %q, want objects without a character that controls a terminal", args[0], out)
		}
	}
	for _, c := range commands() {
		if !tested[c.name] {
			t.Errorf("%s is not tested", c.name)
		}
	}
}

func TestJSONOfAChangeSaysWhatWasChanged(t *testing.T) {
	r := newRig(t)
	uid := r.dead(t, "github.push", "a", "no")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"pause", "github.push", "-why", "x"}, `{"did":"paused","type":"github.push","by":"jane","why":"x"}`},
		{[]string{"pause", "-all"}, `{"did":"paused","all":true,"by":"jane"}`},
		{[]string{"resume", "-all"}, `{"did":"resumed","all":true,"by":"jane"}`},
		{[]string{"replay", uid}, `{"did":"replayed","uid":"` + uid + `","count":1,"by":"jane"}`},
		{[]string{"bury", uid}, `{"did":"buried","uid":"` + uid + `","count":1,"by":"jane"}`},
		{[]string{"replay", uid}, `{"did":"replayed","uid":"` + uid + `","count":1,"by":"jane"}`},
		{[]string{"give-up", uid}, `{"did":"gave up","uid":"` + uid + `","as":"dead","count":1,"by":"jane"}`},
		{[]string{"discard", uid}, `{"did":"discarded","uid":"` + uid + `","count":1,"by":"jane"}`},
	} {
		out := succeed(t, append(tt.args, "-json", "-by", "jane", "-db", r.database)...)
		var got, want map[string]any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.args, d)
		}
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestShow(t *testing.T) { onEachDatabase(t, testShow) }

func testShow(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	r.settle(t, uid, webhook.Outcome{State: webhook.Waiting, Reason: "try again"})
	r.settle(t, uid, webhook.Outcome{State: webhook.Dead, Reason: "broken"})
	if _, err := r.inbox.Replay(t.Context(), webhook.Filter{UID: uid}, webhook.Note{By: "jane", Why: "fixed"}); err != nil {
		t.Fatal(err)
	}
	out := succeed(t, "show", uid, "-db", r.database)
	for _, want := range []string{
		"state         waiting\n", "type          github.push\n", "ordering key  acme/app\n", "sender's id   id-acme/app\n",
		"header        X-Github-Event: push\n", "header        X-Hub-Signature-256: REDACTED\n", "dedup key     mac:5a5a5a5a…\n",
		"by jane, was dead: fixed\n", "then waiting, by worker-1: try again\n", "then dead, by worker-1: broken\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	asJSON := succeed(t, "show", "-uid", uid, "-db", r.database, "-json")
	rec := objects[record](t, asJSON)[0]
	if rec.Replays[0].By != "jane" || len(rec.Attempts) != 2 || rec.Attempts[1].Reason != "broken" || rec.Body != nil {
		t.Errorf("%+v", rec)
	}
	for _, text := range []string{out, asJSON, succeed(t, "list", "-json", "-db", r.database), succeed(t, "attempts", uid, "-db", r.database)} {
		if strings.Contains(text, "5a5a5a5a5a") || strings.Contains(text, "secret of the body") {
			t.Errorf("a signature or a body in\n%s", text)
		}
	}
}

func TestShowBodyIsExact(t *testing.T) { onEachDatabase(t, testShowBodyIsExact) }

func testShowBodyIsExact(t *testing.T, r *rig) {
	for _, body := range []string{"{\"a\": 1}\n", "", "\x00\xff\x1b[2Jbinary"} {
		d := webhook.NewDelivery("github", "github.push", "", []byte(body))
		if err := r.inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if got := succeed(t, "show", "-body", d.UID, "-db", r.database); got != body {
			t.Errorf("got %q, want %q", got, body)
		}
		rec := objects[record](t, succeed(t, "show", "-body", "-json", d.UID, "-db", r.database))[0]
		got := string(rec.BodyBase64)
		if rec.Body != nil {
			got = *rec.Body
		}
		if got != body {
			t.Errorf("as JSON: got %q, want %q", got, body)
		}
	}
}

func TestAttempts(t *testing.T) { onEachDatabase(t, testAttempts) }

func testAttempts(t *testing.T, r *rig) {
	uid := r.put(t, "github.push", "acme/app")
	r.settle(t, uid, webhook.Outcome{State: webhook.Waiting, Reason: "try again"})
	r.claim(t, uid)
	if err := r.inbox.Release(t.Context(), uid); err != nil {
		t.Fatal(err)
	}
	got := objects[attempt](t, succeed(t, "attempts", uid, "-db", r.database, "-json"))
	for i := range got {
		if age := time.Since(got[i].At); age < 0 || age > time.Minute || got[i].TookMS < 0 {
			t.Errorf("at %v, took %v ms", got[i].At, got[i].TookMS)
		}
		got[i].At, got[i].TookMS = time.Time{}, 0
	}
	want := []attempt{
		{UID: uid, Number: 1, State: "waiting", Reason: "try again", By: "worker-1"},
		{UID: uid, Number: 2, State: "waiting", Lost: true, By: "worker-1"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if out := succeed(t, "attempts", uid, "-db", r.database); !strings.Contains(out, "attempt 2, ") || !strings.Contains(out, "by worker-1: lost\n") {
		t.Error(out)
	}
	none := r.put(t, "jobserv.build", "acme/app")
	if got := hookhouse(t, nil, "attempts", none, "-db", r.database); got.code != exitNothing || !strings.Contains(got.err, "no attempt of "+none+" has failed; it is waiting") {
		t.Errorf("no attempts: %+v", got)
	}
}

func TestUnknownUIDIsNothing(t *testing.T) { onEachDatabase(t, testUnknownUIDIsNothing) }

func testUnknownUIDIsNothing(t *testing.T, r *rig) {
	for _, args := range [][]string{{"show"}, {"show", "-body"}, {"attempts"}, {"replay"}, {"bury"}, {"release"}, {"discard"}} {
		got := hookhouse(t, nil, append(args, "00ff", "-db", r.database)...)
		if got.code != exitNothing || got.out != "" || !strings.Contains(got.err, `there is no delivery "00ff"`) {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// An acted is what the tests read of an act.
type acted struct{ Act, UID, Type, By, Why, Error, Of, Result string }

func (r *rig) acted() []acted {
	r.t.Helper()
	return decode[struct{ Acts []acted }](r.t, r.get("api/acts")).Acts
}

func TestActs(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("key", "{}"))
	for _, step := range []struct {
		act    string
		status int
		state  webhook.State
	}{
		{"replay", 409, webhook.Waiting}, {"bury", 200, webhook.Dead}, {"bury", 409, webhook.Dead}, {"release", 409, webhook.Dead},
		{"replay", 200, webhook.Waiting}, {"release", 200, webhook.Waiting},
	} {
		if w := r.postJSON("api/"+step.act, `{"uid":"`+d.UID+`","why":"a test"}`); w.Code != step.status {
			t.Errorf("%s: %d %s, want %d", step.act, w.Code, w.Body, step.status)
		}
		if s := r.state(d); s != step.state {
			t.Errorf("%s: it is %s, want %s", step.act, s, step.state)
		}
	}
	for _, step := range []struct {
		act, typ string
		status   int
	}{{"pause", "shop.order", 200}, {"pause", "shop.order", 409}, {"pause", "", 200}, {"resume", "shop.order", 200}, {"resume", "shop.order", 409}} {
		if w := r.postJSON("api/"+step.act, `{"type":"`+step.typ+`","why":"a test"}`); w.Code != step.status {
			t.Errorf("%s of %q: %d %s, want %d", step.act, step.typ, w.Code, w.Body, step.status)
		}
	}
	got := r.acted()
	if len(got) != 11 {
		t.Fatalf("%d acts are recorded, want 11, those that failed too", len(got))
	}
	want := []acted{{Act: "resume", Type: "shop.order", By: "ann", Why: "a test", Error: "the state of the delivery, or of the pause, does not allow it; look at it again"}, {Act: "resume", Type: "shop.order", By: "ann", Why: "a test"}}
	if d := cmp.Diff(want, got[:2]); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if !strings.Contains(r.log.String(), `msg="inspector: bury" uid=`+d.UID+` type="" by=ann why="a test"`) {
		t.Errorf("the log: %s", &r.log)
	}
	requireError(t, r.postJSON("api/replay", `{"uid":"nobody","why":"a test"}`), 404, "no such delivery")
}

func TestAnActThatCannotBeReadIsRefused(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	for _, tt := range []struct {
		body   string
		status int
		text   string
	}{
		{`{"uid":"` + d.UID + `"}`, 400, "why is missing"},
		{`{"uid":"` + d.UID + `","why":"  "}`, 400, "why is missing"},
		{`{"why":"x"}`, 400, "uid is missing"},
		{`{"uid":"` + d.UID + `","type":"shop.order","why":"x"}`, 400, "not of both"},
		{`{"uid":"` + d.UID + `","why":"x","by":"bob"}`, 400, `by is \"bob\", but the act is recorded by \"ann\"`},
		{`{"uid":"` + d.UID + `","why":"x","force":true}`, 400, "no JSON object"},
		{`{"uid":"` + d.UID + `","why":"x"} {}`, 400, "after the object"},
		{`{"uid":7}`, 400, "no JSON object"}, {`[]`, 400, "no JSON object"}, {``, 400, "no JSON object"}, {strings.Repeat("[", 9000), 400, "no JSON object"},
		{`{"uid":"` + d.UID + `","why":"\u0000"}`, 400, "why is no text"},
		{`{"uid":"` + d.UID + `","why":"` + strings.Repeat("x", 600) + `"}`, 400, "the limit is 512"},
		{`{"uid":"` + strings.Repeat("x", 20<<10) + `"}`, 413, "larger than 16384 bytes"},
	} {
		requireError(t, r.postJSON("api/bury", tt.body), tt.status, tt.text)
	}
	if s := r.state(d); s != webhook.Waiting || len(r.acted()) != 0 {
		t.Errorf("it is %s, with the acts %v", s, r.acted())
	}
}

func TestWhoIsNotLoggedInSaysWho(t *testing.T) {
	r := newRig(t)
	r.Inspector = r.inspector(r.inbox, func(http.ResponseWriter, *http.Request) (string, bool) { return "", true })
	d := r.put(delivery("", "{}"))
	requireError(t, r.postJSON("api/bury", `{"uid":"`+d.UID+`","why":"a test"}`), 400, "by is missing")
	if w := r.postJSON("api/bury", `{"uid":"`+d.UID+`","why":"a test","by":"bob"}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := r.acted(); len(got) != 1 || got[0].By != "bob" {
		t.Errorf("%+v", got)
	}
}

// An onlyStore has no acts.
type onlyStore struct{ inspect.Store }

func TestAReadOnlyInspectorRefusesEachAct(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	byField := r.Inspector
	byField.ReadOnly = true
	for _, in := range []*inspect.Inspector{byField, r.inspector(onlyStore{r.inbox}, ann)} {
		r.Inspector = in
		for _, name := range []string{"replay", "bury", "release"} {
			requireError(t, r.postJSON("api/"+name, `{"uid":"`+d.UID+`","why":"x"}`), 403, "read-only")
		}
		for _, name := range []string{"pause", "resume"} {
			requireError(t, r.postJSON("api/"+name, `{"type":"","why":"x"}`), 403, "read-only")
		}
		if !decode[struct {
			ReadOnly bool `json:"read_only"`
		}](t, r.get("api/overview")).ReadOnly {
			t.Error("the overview does not say that it is read-only")
		}
	}
	if s := r.state(d); s != webhook.Waiting {
		t.Errorf("it is %s", s)
	}
}

func TestTheLastActsAreKept(t *testing.T) {
	r := newRig(t)
	for i := range 203 {
		r.postJSON("api/bury", fmt.Sprintf(`{"uid":"u%d","why":"x"}`, i))
	}
	got := r.acted()
	if len(got) != 200 || got[0].UID != "u202" || got[199].UID != "u3" {
		t.Errorf("%d acts, from %+v", len(got), got[0])
	}
}

// A viewer who leaves must not leave an act half done.
func TestAnActIsDoneWhenItsViewerHasLeft(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	request := r.request("POST", "api/bury", `{"uid":"`+d.UID+`","why":"a test"}`).WithContext(ctx)
	request.Header.Set("Content-Type", "application/json")
	r.serve(request)
	if s := r.state(d); s != webhook.Dead {
		t.Errorf("it is %s", s)
	}
}

package github_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// A sender posts deliveries to a Receiver with an inbox, each with a new id.
type sender struct {
	form bool
	to   http.Handler
	sent int
}

func newSender(src webhook.Source, form bool) *sender {
	rc := webhook.NewReceiver(src, webhook.Store(&webhook.MemInbox{}))
	rc.Logger = slog.New(slog.DiscardHandler)
	return &sender{form: form, to: rc}
}

// stores posts a delivery and reports whether the inbox stored it as a new one.
func (s *sender) stores(t *testing.T, event, body string) bool {
	t.Helper()
	sent := []byte(body)
	if s.form {
		sent = formOf(sent)
	}
	r := newRequest(event, sent)
	if s.form {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	s.sent++
	r.Header.Set(github.DeliveryHeader, fmt.Sprintf("00000000-0000-0000-0000-%012d", s.sent))
	sign(t, r, sent)
	w := httptest.NewRecorder()
	s.to.ServeHTTP(w, r)
	if w.Code != http.StatusAccepted {
		t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusAccepted)
	}
	var answer struct{ Duplicate bool }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return !answer.Duplicate
}

// asJSONAndForm runs a test for both content types that a hook can have.
func asJSONAndForm(t *testing.T, test func(t *testing.T, s *sender)) {
	t.Helper()
	for _, form := range []bool{false, true} {
		t.Run(fmt.Sprintf("form=%t", form), func(t *testing.T) {
			test(t, newSender(github.Source(secret), form))
		})
	}
}

func TestRepeatedActionsAreStored(t *testing.T) {
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		for event, bodies := range repeating {
			for round := range 3 {
				for _, body := range bodies {
					if !s.stores(t, event, body) {
						t.Fatalf("%s, round %d: %s: s.stores(event, body) is false, want true", event, round, body)
					}
				}
			}
		}
	})
}

// pushOf returns a push from one commit to another with the given pushed_at.
func pushOf(before, after string, at int) string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","before":"%s","after":"%s","repository":{"full_name":"o/r","pushed_at":%d}}`, before, after, at)
}

// When a branch is forced back and forth, the same commits are pushed again but
// pushed_at differs.
func TestForcedPushesBackAndForthAreStored(t *testing.T) {
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		if !s.stores(t, "push", pushOf("a", "b", 1709208000)) {
			t.Fatal(`s.stores("push", pushOf("a", "b", 1709208000)) is false, want true`)
		}
		if !s.stores(t, "push", pushOf("b", "a", 1709208001)) {
			t.Fatal(`s.stores("push", pushOf("b", "a", 1709208001)) is false, want true`)
		}
		if !s.stores(t, "push", pushOf("a", "b", 1709208002)) {
			t.Fatal(`s.stores("push", pushOf("a", "b", 1709208002)) is false, want true`)
		}
		if !s.stores(t, "push", pushOf("b", "a", 1709208003)) {
			t.Fatal(`s.stores("push", pushOf("b", "a", 1709208003)) is false, want true`)
		}
		if !s.stores(t, "push", pushOf("a", "c", 1709208003)) {
			t.Fatal(`another commit in the same second: s.stores("push", pushOf("a", "c", 1709208003)) is false, want true`)
		}
		if s.stores(t, "push", pushOf("a", "b", 1709208002)) {
			t.Fatal(`the third one, captured: s.stores("push", pushOf("a", "b", 1709208002)) is true, want false`)
		}
	})
}

func TestCapturedCallUnderANewIDIsADuplicate(t *testing.T) {
	calls := []struct{ event, body string }{
		{"push", string(own(t, "push.branch"))},
		{"push", string(own(t, "push.deleted"))},
		{"push", string(own(t, "push.tag-created"))},
		{"status", string(own(t, "status.pending"))},
		{"deployment_status", string(own(t, "deployment_status.in-progress"))},
		{"issue_comment", `{"action":"created","comment":{"id":8},"repository":` + repo + `}`},
		{"commit_comment", `{"action":"created","comment":{"id":9},"repository":` + repo + `}`},
		{"pull_request_review_comment", `{"action":"created","comment":{"id":10},"repository":` + repo + `}`},
		{"pull_request_review", `{"action":"submitted","review":{"id":8},"repository":` + repo + `}`},
		{"pull_request", `{"action":"opened","number":4,"pull_request":` + pull + `,"repository":` + repo + `}`},
		{"issues", `{"action":"opened","issue":` + issue + `,"repository":` + repo + `}`},
		{"fork", `{"forkee":{"id":12},"repository":` + repo + `}`},
		{"installation", `{"action":"created","installation":{"id":2}}`},
		{"label", `{"action":"cre\u0061ted","label":{"id":6}}`},
	}
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		for _, c := range calls {
			if !s.stores(t, c.event, c.body) {
				t.Fatalf("%s: %s: s.stores(c.event, c.body) is false, want true", c.event, c.body)
			}
			if s.stores(t, c.event, c.body) {
				t.Fatalf("%s: %s: s.stores(c.event, c.body) is true, want false", c.event, c.body)
			}
		}
	})
}

// The name of the event and its action are not sufficient: the body must have
// the new id itself.
func TestBodyWithoutNewIDIsNotDedupedBySignature(t *testing.T) {
	for _, c := range []struct{ name, event, body string }{
		{"a push without pushed_at", "push", `{"ref":"r","before":"a","after":"b","repository":{"full_name":"o/r"}}`},
		{"pushed_at is null", "push", `{"ref":"r","before":"a","after":"b","repository":{"full_name":"o/r","pushed_at":null}}`},
		{"pushed_at is text", "push", `{"ref":"r","before":"a","after":"b","repository":{"full_name":"o/r","pushed_at":"2024-02-29T12:00:00Z"}}`},
		{"a push without before", "push", `{"ref":"r","after":"b","repository":{"full_name":"o/r","pushed_at":1}}`},
		{"a push without after", "push", `{"ref":"r","before":"b","repository":{"full_name":"o/r","pushed_at":1}}`},
		{"a push without ref", "push", `{"before":"a","after":"b","repository":{"full_name":"o/r","pushed_at":1}}`},
		{"a push from an old test button", "push", string(own(t, "push.old-test-button"))},
		{"a status without id", "status", `{"sha":"a","state":"success"}`},
		{"a status with an action", "status", `{"action":"edited","id":4,"sha":"a","state":"success"}`},
		{"an id as text", "status", `{"id":"4","sha":"a"}`},
		{"an id that is null", "status", `{"id":null,"sha":"a"}`},
		{"an id that is zero", "status", `{"id":0,"sha":"a"}`},
		{"an id with an exponent", "status", `{"id":1e3,"sha":"a"}`},
		{"a deployment without action", "deployment", `{"deployment":{"id":4}}`},
		{"a label without id", "label", `{"action":"created","label":{"name":"tide"}}`},
		{"a label that is not an object", "label", `{"action":"created","label":[{"id":4}]}`},
		{"an action in another case", "label", `{"action":"Created","label":{"id":4}}`},
		{"an action that is not a string", "label", `{"action":{},"label":{"id":4}}`},
		{"the id twice", "label", `{"action":"created","label":{"id":4,"id":5}}`},
		{"the action twice", "label", `{"action":"created","action":"edited","label":{"id":4}}`},
		{"a comment of another event", "label", `{"action":"created","comment":{"id":4}}`},
		{"not JSON", "status", `{"id":4`},
		{"empty", "push", ``},
		{"a list", "push", `[]`},
	} {
		for _, form := range []bool{false, true} {
			r, body := newRequest(c.event, nil), []byte(c.body)
			if form {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				body = formOf(body)
			}
			if describe(r, body).DedupBySignature {
				t.Fatalf("%s, form=%t: describe(r, body).DedupBySignature is true, want false", c.name, form)
			}
			if diff := cmp.Diff([]string{"id:72d3162e-cc78-11e3-81ab-4c9367dc0958"}, open(t, r, body).DedupKeys); diff != "" {
				t.Fatalf("%v: open(r, body).DedupKeys (-want +got):\n%s", c.name, diff)
			}
		}
	}
}

func TestCallWithoutDeliveryIDAndNewIDHasNoDedupKey(t *testing.T) {
	r := newRequest("workflow_dispatch", nil)
	r.Header.Del(github.DeliveryHeader)
	if got := open(t, r, own(t, "workflow_dispatch.inputs")).DedupKeys; len(got) != 0 {
		t.Fatalf(`open(r, own("workflow_dispatch.inputs")).DedupKeys = %v, want empty`, got)
	}
}

// GitHub sends an event with the same id to every hook and App, with different
// bodies. Sources with different Names distinguish them.
func TestTwoAppsWithDifferentSourceNamesShareAnInbox(t *testing.T) {
	var inbox webhook.MemInbox
	for i, name := range []string{"github", "github-second-app"} {
		src := github.Source(secret)
		src.Name = name
		body := fmt.Appendf(nil, `{"action":"created","comment":{"id":8},"repository":%s,"installation":{"id":%d}}`, repo, i+1)
		r := newRequest("issue_comment", body)
		sign(t, r, body)
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		d, err := src.Open(r, body)
		if err != nil {
			t.Fatal(err)
		}
		if d.Type != "github.issue_comment" {
			t.Fatalf("d.Type = %q, want \"github.issue_comment\"", d.Type)
		}
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

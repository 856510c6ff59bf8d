package github_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// A sender posts deliveries to a Receiver before an inbox, each with an id that
// was not there before.
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

// stores posts a delivery and reports whether it was new to the inbox.
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
	require.Equal(t, http.StatusAccepted, w.Code)
	var answer struct{ Duplicate bool }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	return !answer.Duplicate
}

// asJSONAndForm runs a test for both content types that a hook can be set to.
func asJSONAndForm(t *testing.T, test func(t *testing.T, s *sender)) {
	t.Helper()
	for _, form := range []bool{false, true} {
		t.Run(fmt.Sprintf("form=%t", form), func(t *testing.T) {
			test(t, newSender(github.Source(secret), form))
		})
	}
}

func TestWhatIsDoneAgainIsStoredAgain(t *testing.T) {
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		for event, bodies := range repeating {
			for round := range 3 {
				for _, body := range bodies {
					require.True(t, s.stores(t, event, body), "%s, round %d: %s", event, round, body)
				}
			}
		}
	})
}

// pushOf is a push from one commit to another at a time.
func pushOf(before, after string, at int) string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","before":"%s","after":"%s","repository":{"full_name":"o/r","pushed_at":%d}}`, before, after, at)
}

// A branch is forced back and forth: the commits come again, the time does not.
func TestForcePushBackAndForthIsStored(t *testing.T) {
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		require.True(t, s.stores(t, "push", pushOf("a", "b", 1709208000)))
		require.True(t, s.stores(t, "push", pushOf("b", "a", 1709208001)))
		require.True(t, s.stores(t, "push", pushOf("a", "b", 1709208002)))
		require.True(t, s.stores(t, "push", pushOf("b", "a", 1709208003)))
		require.True(t, s.stores(t, "push", pushOf("a", "c", 1709208003)), "another commit in the same second")
		require.False(t, s.stores(t, "push", pushOf("a", "b", 1709208002)), "the third one, captured")
	})
}

func TestACapturedCallUnderANewIDIsADuplicate(t *testing.T) {
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
			require.True(t, s.stores(t, c.event, c.body), "%s: %s", c.event, c.body)
			require.False(t, s.stores(t, c.event, c.body), "%s: %s", c.event, c.body)
		}
	})
}

// The name of the event and its action say what may be minted; only the field
// itself says that it is.
func TestABodyWithoutTheMintedFieldIsNotDedupedBySignature(t *testing.T) {
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
		{"an id in text", "status", `{"id":"4","sha":"a"}`},
		{"an id that is null", "status", `{"id":null,"sha":"a"}`},
		{"an id that is zero", "status", `{"id":0,"sha":"a"}`},
		{"an id with an exponent", "status", `{"id":1e3,"sha":"a"}`},
		{"a deployment without action", "deployment", `{"deployment":{"id":4}}`},
		{"a label without id", "label", `{"action":"created","label":{"name":"tide"}}`},
		{"a label that is no object", "label", `{"action":"created","label":[{"id":4}]}`},
		{"an action in another case", "label", `{"action":"Created","label":{"id":4}}`},
		{"an action that is no text", "label", `{"action":{},"label":{"id":4}}`},
		{"the id stands twice", "label", `{"action":"created","label":{"id":4,"id":5}}`},
		{"the action stands twice", "label", `{"action":"created","action":"edited","label":{"id":4}}`},
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
			require.False(t, describe(r, body).DedupBySignature, "%s, form=%t", c.name, form)
			require.Equal(t, []string{"id:72d3162e-cc78-11e3-81ab-4c9367dc0958"}, open(t, r, body).DedupKeys, c.name)
		}
	}
}

func TestACallWithoutIDAndMintedFieldHasNoDedupKey(t *testing.T) {
	r := newRequest("workflow_dispatch", nil)
	r.Header.Del(github.DeliveryHeader)
	require.Empty(t, open(t, r, own(t, "workflow_dispatch.inputs")).DedupKeys)
}

// GitHub gives one event the same id at every hook and App, with bodies that
// differ. Sources with a Name each keep them apart.
func TestTwoAppsWithASourceEachShareAnInbox(t *testing.T) {
	var inbox webhook.MemInbox
	for i, name := range []string{"github", "github-second-app"} {
		src := github.Source(secret)
		src.Name = name
		body := fmt.Appendf(nil, `{"action":"created","comment":{"id":8},"repository":%s,"installation":{"id":%d}}`, repo, i+1)
		r := newRequest("issue_comment", body)
		sign(t, r, body)
		require.NoError(t, src.Validate())
		d, err := src.Open(r, body)
		require.NoError(t, err)
		require.Equal(t, "github.issue_comment", d.Type)
		require.NoError(t, inbox.Put(t.Context(), d))
	}
}

// sharedFolder returns the bodies of a folder that is shared beside the
// repository, none where there is no such folder: they come on top of testdata.
func sharedFolder(t *testing.T, name string) []string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for dir != filepath.Dir(dir) {
		found, err := filepath.Glob(filepath.Join(dir, "shared", name, "*.json"))
		require.NoError(t, err)
		if len(found) > 0 {
			return found
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

// Each body of testdata and of GitHub's examples, which show every event and
// action, comes under two ids. Which of the second ones are duplicates is written
// down here, by file, so that a change of the table shows what it changes.
func TestOnlyWhatIsMintedIsADuplicateAmongGitHubsExamples(t *testing.T) {
	own, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	shared := sharedFolder(t, "github-events")
	names := `
		deployment_status.from-workflow deployment_status.in-progress
		push.bot-without-sender push.branch push.deleted push.forced push.organization-enterprise
		push.tag-created push.without-files status.pending`
	if len(shared) > 0 {
		names += `
		branch_protection_rule.created commit_comment.created deploy_key.created
		deployment.gh-pages deployment.payload deployment.with-installation
		deployment_status.gh-pages deployment_status.payload deployment_status.with-installation
		discussion_comment.created fork.payload fork.with-installation installation.created
		issue_comment.created.1 issues.opened.with-empty-body label.created.1 milestone.created
		project.created project_card.created.with-no-note project_column.created
		pull_request.opened.with-null-body pull_request_review.submitted
		pull_request_review_comment.created push.1 push.payload push.with-installation
		push.with-new-branch push.with-no-username-committer push.with-organization
		status.payload status.with-author-committer-null status.with-installation team.created`
	}
	once := map[string]bool{}
	for _, name := range strings.Fields(names) {
		once[name] = true
	}
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		for _, path := range append(own, shared...) {
			name := strings.TrimSuffix(filepath.Base(path), ".json")
			event, _, _ := strings.Cut(name, ".")
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			about := describe(newRequest(event, body), body)
			require.NoError(t, about.Malformed, name)
			require.Equal(t, "github."+event, about.Type)
			require.True(t, s.stores(t, event, string(body)), name)
			require.Equal(t, !once[name], s.stores(t, event, string(body)), name)
			require.Equal(t, once[name], about.DedupBySignature, name)
			require.Regexp(t, "(?m)^//\t(.*, )?"+event+"(,|  |$)", string(doc), "the doc lists every event")
			seen[name] = true
		}
	})
	for name := range once {
		require.True(t, seen[name], "%s is not there", name)
	}
	t.Logf("%d own and %d shared bodies, %d of them unique", len(own), len(shared), len(once))
}

// Added to a team again and again, as in a public report.
func TestReportedMembershipsAreAllStored(t *testing.T) {
	bodies := []string{`{"action":"added","scope":"team","member":{"id":1,"login":"alice"},"team":{"id":2,"slug":"ci"},"sender":{"id":3}}`}
	for _, path := range sharedFolder(t, "reports") {
		if strings.HasPrefix(filepath.Base(path), "github.membership") {
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			bodies = append(bodies, string(body))
		}
	}
	for _, body := range bodies {
		s := newSender(github.Source(secret), false)
		for range 3 {
			require.True(t, s.stores(t, "membership", body), body)
		}
	}
}

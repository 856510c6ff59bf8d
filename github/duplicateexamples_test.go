package github_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/github"
)

// The test sends each body of testdata and of GitHub's examples, which contain
// every event and action, under two ids. It lists by file which of the second
// calls are duplicates, so that it shows the effect of a change to eventRules.
func TestDuplicatesAmongGitHubsExamples(t *testing.T) {
	own, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	asJSONAndForm(t, func(t *testing.T, s *sender) {
		for _, path := range append(own, shared...) {
			name := strings.TrimSuffix(filepath.Base(path), ".json")
			event, _, _ := strings.Cut(name, ".")
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			about := describe(newRequest(event, body), body)
			if about.Malformed != nil {
				t.Fatalf("%v: %v", name, about.Malformed)
			}
			if about.Type != "github."+event {
				t.Fatalf("about.Type = %q, want %q", about.Type, "github."+event)
			}
			if !s.stores(t, event, string(body)) {
				t.Fatalf("%v: s.stores(event, string(body)) is false, want true", name)
			}
			if got, want := s.stores(t, event, string(body)), !once[name]; got != want {
				t.Fatalf("%v: s.stores(event, string(body)) = %v, want %v", name, got, want)
			}
			if about.DedupBySignature != once[name] {
				t.Fatalf("%v: about.DedupBySignature = %v, want %v", name, about.DedupBySignature, once[name])
			}
			if !regexp.MustCompile("(?m)^//\t(.*, )?" + event + "(,|  |$)").Match(doc) {
				t.Errorf("the doc does not list %s", event)
			}
			seen[name] = true
		}
	})
	for name := range once {
		if !seen[name] {
			t.Fatalf("there is no body %s: seen[name] is false, want true", name)
		}
	}
	t.Logf("%d own and %d shared bodies, %d of them deduplicated by signature", len(own), len(shared), len(once))
}

// A public report shows a member who was added to a team several times.
func TestReportedMembershipsAreStored(t *testing.T) {
	bodies := []string{`{"action":"added","scope":"team","member":{"id":1,"login":"alice"},"team":{"id":2,"slug":"ci"},"sender":{"id":3}}`}
	for _, path := range sharedFolder(t, "reports") {
		if strings.HasPrefix(filepath.Base(path), "github.membership") {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, string(body))
		}
	}
	for _, body := range bodies {
		s := newSender(github.Source(secret), false)
		for range 3 {
			if !s.stores(t, "membership", body) {
				t.Fatalf(`%v: s.stores("membership", body) is false, want true`, body)
			}
		}
	}
}

// sharedFolder returns the bodies in a folder shared/<name> above the package,
// or none if there is no such folder. Tests use them in addition to testdata.
func sharedFolder(t *testing.T, name string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		found, err := filepath.Glob(filepath.Join(dir, "shared", name, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return found
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

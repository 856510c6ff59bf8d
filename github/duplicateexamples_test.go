package github_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/github"
)

// The test sends each body of testdata and of GitHub's examples, which contain
// every event and action, under two ids. It lists by file which of the second
// calls are duplicates, so that it shows the effect of a change to eventRules.
func TestDuplicatesAmongGitHubsExamples(t *testing.T) {
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
		require.True(t, seen[name], "there is no body %s", name)
	}
	t.Logf("%d own and %d shared bodies, %d of them deduplicated by signature", len(own), len(shared), len(once))
}

// A public report shows a member who was added to a team several times.
func TestReportedMembershipsAreStored(t *testing.T) {
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

// sharedFolder returns the bodies in a folder shared/<name> above the package,
// or none if there is no such folder. Tests use them in addition to testdata.
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

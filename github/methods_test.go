package github_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// decodeOwn decodes a body in testdata.
func decodeOwn[T webhook.Payload](t *testing.T, name string) T {
	t.Helper()
	e, err := webhook.Decode[T](&webhook.Delivery{Source: "github", Body: own(t, name)})
	require.NoError(t, err)
	return e.Payload
}

func TestPullRequestIsMergeAndFromFork(t *testing.T) {
	for _, c := range []struct {
		fixture      string
		merge, forks bool
	}{
		{"pull_request.synchronize-fork", false, true},
		{"pull_request.merged-fork-gone", true, true},
		{"pull_request.labeled-same-repository", false, false},
	} {
		t.Run(c.fixture, func(t *testing.T) {
			p := decodeOwn[github.PullRequest](t, c.fixture)
			require.Equal(t, c.merge, p.IsMerge())
			require.Equal(t, c.forks, p.FromFork())
		})
	}
	require.True(t, github.PullRequest{}.FromFork(), "an unknown repository is not trusted")
	require.False(t, github.PullRequest{Action: "closed"}.IsMerge())
}

func TestReleaseIsPublished(t *testing.T) {
	require.True(t, decodeOwn[github.Release](t, "release.published").IsPublished())
	draft := decodeOwn[github.Release](t, "release.created-draft")
	require.False(t, draft.IsPublished())
	require.False(t, draft.Release.PublishedAt.Valid())
	for _, action := range []string{"created", "released", "prereleased", "edited"} {
		require.False(t, github.Release{Action: action}.IsPublished(), action)
	}
}

func TestSucceeded(t *testing.T) {
	require.True(t, decodeOwn[github.WorkflowRun](t, "workflow_run.completed").Succeeded())
	require.False(t, decodeOwn[github.WorkflowRun](t, "workflow_run.requested").Succeeded())
	require.False(t, decodeOwn[github.CheckRun](t, "check_run.completed").Succeeded())
	ok := "success"
	c := github.CheckRun{Action: "completed", CheckRun: github.CheckRunInfo{Conclusion: &ok}}
	require.True(t, c.Succeeded())
	c.Action = "rerequested"
	require.False(t, c.Succeeded())
}

func TestFullRef(t *testing.T) {
	require.Equal(t, "refs/heads/feat/slack-water", decodeOwn[github.Create](t, "create.branch").FullRef())
	require.Equal(t, "refs/tags/v1.1.0", decodeOwn[github.Delete](t, "delete.tag").FullRef())
	require.Empty(t, github.Create{RefType: "repository"}.FullRef())
	require.Empty(t, github.Create{RefType: "tag"}.FullRef())
	require.Empty(t, github.Delete{Ref: "x"}.FullRef())
}

func TestImageTag(t *testing.T) {
	tag, ok := decodeOwn[github.RegistryPackage](t, "registry_package.container").ImageTag()
	require.True(t, ok)
	require.Equal(t, "v1.2.0", tag)
	for name, p := range map[string]github.RegistryPackage{
		"npm":         decodeOwn[github.RegistryPackage](t, "registry_package.npm"),
		"nothing":     {},
		"no tag":      {Package: github.PackageInfo{Version: &github.PackageVersion{Container: &github.ContainerMetadata{}}}},
		"tag is \"\"": {Package: github.PackageInfo{Version: &github.PackageVersion{Container: &github.ContainerMetadata{Tag: &github.ContainerTag{}}}}},
	} {
		_, ok := p.ImageTag()
		require.False(t, ok, name)
	}
}

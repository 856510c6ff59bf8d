package github_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// decodeOwn decodes a body in testdata.
func decodeOwn[T webhook.Payload](t *testing.T, name string) T {
	t.Helper()
	e, err := webhook.Decode[T](&webhook.Delivery{Source: "github", Body: own(t, name)})
	if err != nil {
		t.Fatal(err)
	}
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
			if got := p.IsMerge(); got != c.merge {
				t.Fatalf("p.IsMerge() = %v, want %v", got, c.merge)
			}
			if got := p.FromFork(); got != c.forks {
				t.Fatalf("p.FromFork() = %v, want %v", got, c.forks)
			}
		})
	}
	if !(github.PullRequest{}).FromFork() {
		t.Fatal("an unknown repository is not trusted: github.PullRequest{}.FromFork() is false, want true")
	}
	if (github.PullRequest{Action: "closed"}).IsMerge() {
		t.Fatal(`github.PullRequest{Action: "closed"}.IsMerge() is true, want false`)
	}
}

func TestReleaseIsPublished(t *testing.T) {
	if !decodeOwn[github.Release](t, "release.published").IsPublished() {
		t.Fatal(`decodeOwn[github.Release]("release.published").IsPublished() is false, want true`)
	}
	draft := decodeOwn[github.Release](t, "release.created-draft")
	if draft.IsPublished() {
		t.Fatal("draft.IsPublished() is true, want false")
	}
	if draft.Release.PublishedAt.Valid() {
		t.Fatal("draft.Release.PublishedAt.Valid() is true, want false")
	}
	for _, action := range []string{"created", "released", "prereleased", "edited"} {
		if (github.Release{Action: action}).IsPublished() {
			t.Fatalf("%v: github.Release{Action: action}.IsPublished() is true, want false", action)
		}
	}
}

func TestSucceeded(t *testing.T) {
	if !decodeOwn[github.WorkflowRun](t, "workflow_run.completed").Succeeded() {
		t.Fatal(`decodeOwn[github.WorkflowRun]("workflow_run.completed").Succeeded() is false, want true`)
	}
	if decodeOwn[github.WorkflowRun](t, "workflow_run.requested").Succeeded() {
		t.Fatal(`decodeOwn[github.WorkflowRun]("workflow_run.requested").Succeeded() is true, want false`)
	}
	if decodeOwn[github.CheckRun](t, "check_run.completed").Succeeded() {
		t.Fatal(`decodeOwn[github.CheckRun]("check_run.completed").Succeeded() is true, want false`)
	}
	ok := "success"
	c := github.CheckRun{Action: "completed", CheckRun: github.CheckRunInfo{Conclusion: &ok}}
	if !c.Succeeded() {
		t.Fatal("c.Succeeded() is false, want true")
	}
	c.Action = "rerequested"
	if c.Succeeded() {
		t.Fatal("c.Succeeded() is true, want false")
	}
}

func TestFullRef(t *testing.T) {
	if got := decodeOwn[github.Create](t, "create.branch").FullRef(); got != "refs/heads/feat/slack-water" {
		t.Fatalf(`decodeOwn[github.Create]("create.branch").FullRef() = %q, want %q`, got, "refs/heads/feat/slack-water")
	}
	if got := decodeOwn[github.Delete](t, "delete.tag").FullRef(); got != "refs/tags/v1.1.0" {
		t.Fatalf(`decodeOwn[github.Delete]("delete.tag").FullRef() = %q, want %q`, got, "refs/tags/v1.1.0")
	}
	if got := (github.Create{RefType: "repository"}).FullRef(); got != "" {
		t.Fatalf(`github.Create{RefType: "repository"}.FullRef() = %q, want empty`, got)
	}
	if got := (github.Create{RefType: "tag"}).FullRef(); got != "" {
		t.Fatalf(`github.Create{RefType: "tag"}.FullRef() = %q, want empty`, got)
	}
	if got := (github.Delete{Ref: "x"}).FullRef(); got != "" {
		t.Fatalf(`github.Delete{Ref: "x"}.FullRef() = %q, want empty`, got)
	}
}

func TestImageTag(t *testing.T) {
	tag, ok := decodeOwn[github.RegistryPackage](t, "registry_package.container").ImageTag()
	if !ok {
		t.Fatal("ok = false, want true")
	}
	if tag != "v1.2.0" {
		t.Fatalf("tag = %q, want \"v1.2.0\"", tag)
	}
	for name, p := range map[string]github.RegistryPackage{
		"npm":         decodeOwn[github.RegistryPackage](t, "registry_package.npm"),
		"nothing":     {},
		"no tag":      {Package: github.PackageInfo{Version: &github.PackageVersion{Container: &github.ContainerMetadata{}}}},
		"tag is \"\"": {Package: github.PackageInfo{Version: &github.PackageVersion{Container: &github.ContainerMetadata{Tag: &github.ContainerTag{}}}}},
	} {
		_, ok := p.ImageTag()
		if ok {
			t.Fatalf("%v: ok is true, want false", name)
		}
	}
}

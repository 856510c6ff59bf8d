package webhooktest

import (
	"embed"
	"fmt"
)

//go:embed samples
var samples embed.FS

// sample returns a new copy of an embedded body.
func sample(name string) []byte {
	body, err := samples.ReadFile("samples/" + name + ".json")
	if err != nil {
		panic(fmt.Sprintf("webhooktest: sample: %v", err)) // the caller's name is wrong
	}
	return body
}

// DockerHubPush returns the body of a push of acme/app:1.4.0, as Docker Hub sends it
// (docker/docs: content/manuals/docker-hub/repos/manage/webhooks.md). It decodes as a
// dockerhub.Push.
//
// All values of this and of the other sample bodies are invented. They fit together:
// janeroe pushes commit 9f3c1d7 to the branch main of acme/app, which is then built,
// deployed and released. Each call returns a new copy, which the caller may change, for
// example with bytes.ReplaceAll. The same body twice is a duplicate if its sender's
// bodies have dedup keys.
func DockerHubPush() []byte { return sample("dockerhub.push") }

// JobServBuild returns the body of build 41 of the project acme/app, which passed with
// two runs (foundriesio/jobserv: jobserv/models.py, Build.as_json). It decodes as a
// jobserv.Build.
func JobServBuild() []byte { return sample("jobserv.build") }

// JobServFailedBuild returns the body of build 42 of the project acme/app, which failed
// in its run unit-test. It decodes as a jobserv.Build.
func JobServFailedBuild() []byte { return sample("jobserv.build-failed") }

// KuduDeployment returns the body of a successful deployment to the site
// app.scm.azurewebsites.net, the event PostDeployment (projectkudu/kudu:
// Kudu.Contracts/Deployment/DeployResult.cs). It decodes as a kudu.Deployment.
func KuduDeployment() []byte { return sample("kudu.deployment") }

// KuduFailedDeployment returns the body of a failed deployment to the same site. It
// decodes as a kudu.Deployment.
func KuduFailedDeployment() []byte { return sample("kudu.deployment-failed") }

// KuduJobRun returns the body of a run of the WebJob cleanup, the event
// TriggeredJobFinished (projectkudu/kudu: Kudu.Contracts/Jobs/TriggeredJobRun.cs). It
// decodes as a kudu.TriggeredJobRun.
func KuduJobRun() []byte { return sample("kudu.job") }

// GitHubPush returns the body of a push of one commit to refs/heads/main of acme/app
// (github/docs: webhook-events-and-payloads). It decodes as a github.Push. GitHub sends
// the name of an event in a header:
//
//	r := webhooktest.NewRequest(src, "/hooks/github", webhooktest.GitHubPush(), "X-GitHub-Event", "push")
func GitHubPush() []byte { return sample("github.push") }

// GitHubPullRequest returns the body of the event pull_request: pull request 12 is
// opened. It decodes as a github.PullRequest.
func GitHubPullRequest() []byte { return sample("github.pull_request") }

// GitHubWorkflowRun returns the body of the event workflow_run: run 6200 of the workflow
// test completes with success. It decodes as a github.WorkflowRun.
func GitHubWorkflowRun() []byte { return sample("github.workflow_run") }

// GitHubRelease returns the body of the event release: v1.4.0 is published. It decodes
// as a github.Release.
func GitHubRelease() []byte { return sample("github.release") }

// GitHubIssue returns the body of the event issues: issue 13 is opened. Package github
// has no type for it: a program decodes it into one of its own or of another library.
func GitHubIssue() []byte { return sample("github.issues") }

// GitHubPing returns the body of the event ping, which GitHub sends when a hook is
// created. It decodes as a github.Ping.
func GitHubPing() []byte { return sample("github.ping") }

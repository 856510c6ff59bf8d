package webhooktest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The tests of the senders' packages decode the bodies.
func TestSampleBodiesAreJSONThatTheCallerOwns(t *testing.T) {
	for name, f := range map[string]func() []byte{
		"DockerHubPush":        webhooktest.DockerHubPush,
		"JobServBuild":         webhooktest.JobServBuild,
		"JobServFailedBuild":   webhooktest.JobServFailedBuild,
		"KuduDeployment":       webhooktest.KuduDeployment,
		"KuduFailedDeployment": webhooktest.KuduFailedDeployment,
		"KuduJobRun":           webhooktest.KuduJobRun,
		"GitHubPush":           webhooktest.GitHubPush,
		"GitHubPullRequest":    webhooktest.GitHubPullRequest,
		"GitHubWorkflowRun":    webhooktest.GitHubWorkflowRun,
		"GitHubRelease":        webhooktest.GitHubRelease,
		"GitHubIssue":          webhooktest.GitHubIssue,
		"GitHubPing":           webhooktest.GitHubPing,
	} {
		body := f()
		if !json.Valid(body) {
			t.Errorf("%s is not JSON", name)
		}
		clear(body)
		if again := f(); bytes.Equal(again, body) || !json.Valid(again) {
			t.Errorf("%s: a caller's change is seen by the next one", name)
		}
	}
}

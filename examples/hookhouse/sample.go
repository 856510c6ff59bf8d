package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A sample is a body as its sender writes it.
type sample struct {
	name string // for GitHub, that of the event
	body func() []byte
}

// samples are those of each sender; the first is the default.
var samples = map[string][]sample{
	"github": {
		{"push", webhooktest.GitHubPush}, {"pull_request", webhooktest.GitHubPullRequest},
		{"workflow_run", webhooktest.GitHubWorkflowRun}, {"release", webhooktest.GitHubRelease},
		{"issues", webhooktest.GitHubIssue}, {"ping", webhooktest.GitHubPing},
	},
	"jobserv":   {{"build", webhooktest.JobServBuild}, {"build-failed", webhooktest.JobServFailedBuild}},
	"dockerhub": {{"push", webhooktest.DockerHubPush}},
	"kudu": {
		{"deployment", webhooktest.KuduDeployment}, {"deployment-failed", webhooktest.KuduFailedDeployment},
		{"job", webhooktest.KuduJobRun},
	},
}

// sampleOf returns a sample by its name, or the first one.
func sampleOf(sender, name string) (sample, error) {
	for _, s := range samples[sender] {
		if s.name == name || name == "" {
			return s, nil
		}
	}
	return sample{}, fmt.Errorf("%s has no sample %q: want %s", sender, name, namesOf(sender))
}

func namesOf(sender string) string {
	var names []string
	for _, s := range samples[sender] {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// sampleNames lists all samples for the help.
func sampleNames() string {
	var b strings.Builder
	for _, sender := range []string{"github", "jobserv", "dockerhub", "kudu"} {
		fmt.Fprintf(&b, "    %-10s %s\n", sender, namesOf(sender))
	}
	return b.String()
}

var (
	kuduID       = regexp.MustCompile(`"id": *"[^"]*"`)
	jobservBuild = regexp.MustCompile(`(/builds/|"build_id": *)[0-9]+`)
)

// fresh changes a sample so that no dedup key of it is known: GitHub signs the bytes, which
// get white space at their end, a build of JobServ has a number, and an event of Kudu an id.
func fresh(sender string, body []byte) []byte {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	if sender == "kudu" {
		if at := kuduID.FindIndex(body); at != nil {
			id := fmt.Appendf(nil, `"id": "%x"`, random)
			return bytes.Join([][]byte{body[:at[0]], id, body[at[1]:]}, nil)
		}
	}
	if sender == "jobserv" {
		number := binary.BigEndian.Uint64(random[:]) >> 12 // small enough for JavaScript
		return jobservBuild.ReplaceAll(body, fmt.Appendf(nil, "${1}%d", number))
	}
	for _, b := range random {
		for bit := range 8 {
			body = append(body, " \t"[b>>bit&1])
		}
	}
	return body
}

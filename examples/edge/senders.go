package main

import (
	"errors"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// A sender is who calls the edge. Its calls are proven by one of its secrets.
type sender struct {
	name    string // of the variable with its secrets
	pattern string // of the paths that it calls
	source  func(secrets ...webhook.Secret) webhook.Source
	secrets []webhook.Secret
}

// allSenders returns all senders, without their secrets.
func allSenders() []sender {
	return []sender{
		{name: "GITHUB_WEBHOOK_SECRET", pattern: "/hooks/github", source: github.Source},
		{name: "JOBSERV_WEBHOOK_SECRET", pattern: "/hooks/jobserv", source: jobserv.Source},
		{name: "DOCKERHUB_WEBHOOK_TOKEN", pattern: "/hooks/dockerhub/{token}", source: dockerhub.Source},
		{name: "KUDU_WEBHOOK_TOKEN", pattern: "/hooks/kudu/{token}", source: kudu.Source},
	}
}

// readSenders returns the senders that have a secret.
func readSenders(getenv func(string) string) (found []sender, err error) {
	var errs []error
	for _, one := range allSenders() {
		secrets, err := readSecrets(getenv, one.name)
		if errs = append(errs, err); len(secrets) > 0 {
			one.secrets = secrets
			found = append(found, one)
		}
	}
	if err := errors.Join(errs...); err != nil || len(found) > 0 {
		return found, err
	}
	return nil, errors.New("no sender has a secret; create one for GitHub: export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)")
}

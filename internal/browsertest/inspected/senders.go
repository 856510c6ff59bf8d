package inspected

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// GitHub calls the service as GitHub does, with a new ID.
func (s *Service) GitHub(ctx context.Context, event string, body []byte) error {
	sender := webhooktest.GitHub{Secret: Secret}
	result := sender.Deliver(ctx, s.Hook("github"), event, body)
	return refused("github", result.Delivered, result.Err)
}

// JobServ calls the service as JobServ does.
func (s *Service) JobServ(ctx context.Context, body []byte) error {
	sender := webhooktest.JobServ{Secret: Secret}
	result := sender.Deliver(ctx, s.Hook("jobserv"), body)
	return refused("jobserv", result.Delivered, result.Err)
}

// DockerHub calls the service as Docker Hub does.
func (s *Service) DockerHub(ctx context.Context, body []byte) error {
	var sender webhooktest.DockerHub
	result := sender.Deliver(ctx, s.Hook("dockerhub"), body)
	return refused("dockerhub", result.Delivered, result.Err)
}

// Kudu calls the service as Kudu does, which regards every answer as success.
func (s *Service) Kudu(ctx context.Context, body []byte) error {
	var sender webhooktest.Kudu
	result := sender.Deliver(ctx, s.Hook("kudu"), body)
	return refused("kudu", result.Delivered && result.Attempts[0].Status < 300, result.Err)
}

// Samples calls the service once as each of the four senders.
func (s *Service) Samples(ctx context.Context) error {
	if err := s.GitHub(ctx, "push", webhooktest.GitHubPush()); err != nil {
		return err
	}
	if err := s.DockerHub(ctx, webhooktest.DockerHubPush()); err != nil {
		return err
	}
	if err := s.JobServ(ctx, webhooktest.JobServBuild()); err != nil {
		return err
	}
	return s.Kudu(ctx, webhooktest.KuduDeployment())
}

// Post makes a call that GitHub signs, with headers of the caller's choice.
func (s *Service) Post(ctx context.Context, body []byte, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Hook("github"), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if err := github.Verifier(webhook.Keys(Secret)...).Sign(r, body); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%w: %s", errNotAccepted, answer.Status)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A stage is a service that has received the samples, and the pages of which pictures are taken.
type stage struct {
	*inspected.Service
	calls int               // so far
	pages map[string]string // by name, what follows the URL of the inspector
}

// An agedInbox dates deliveries back, so that the samples do not arrive in one second.
type agedInbox struct {
	*webhook.MemInbox
	age atomic.Int64
}

func (in *agedInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	aged := *d
	aged.ReceivedAt = d.ReceivedAt.Add(-time.Duration(in.age.Load()))
	return in.MemInbox.Put(ctx, &aged)
}

// newStage starts the service, and calls it as the four senders do.
func newStage(ctx context.Context) (*stage, error) {
	inbox := &agedInbox{MemInbox: &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}}
	service, err := inspected.Start(inbox, inspect.LoopbackOnly)
	if err != nil {
		return nil, err
	}
	s := &stage{Service: service}
	if err := s.play(ctx, inbox); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// play makes the deliveries.
func (s *stage) play(ctx context.Context, inbox *agedInbox) error {
	s.Callback(func(_ context.Context, d *webhook.Delivery) error {
		switch {
		case d.Source == "jobserv" && strings.Contains(string(d.Body), `"FAILED"`):
			return webhook.Permanent(errors.New("build 42 of acme/app failed in its run unit-test"))
		case d.Type == "github.release":
			return errors.New("the mirror answers 503 Service Unavailable")
		}
		return nil
	})
	fromGitHub := func(event string, body []byte) func() error {
		return func() error { return s.GitHub(ctx, event, body) }
	}
	calls := []func() error{
		fromGitHub("ping", webhooktest.GitHubPing()),
		fromGitHub("issues", webhooktest.GitHubIssue()),
		fromGitHub("pull_request", webhooktest.GitHubPullRequest()),
		func() error { return s.JobServ(ctx, webhooktest.JobServFailedBuild()) },
		fromGitHub("push", webhooktest.GitHubPush()),
		fromGitHub("workflow_run", webhooktest.GitHubWorkflowRun()),
		func() error { return s.JobServ(ctx, webhooktest.JobServBuild()) },
		func() error { return s.DockerHub(ctx, webhooktest.DockerHubPush()) },
		func() error { return s.Kudu(ctx, webhooktest.KuduFailedDeployment()) },
		func() error { return s.Kudu(ctx, webhooktest.KuduDeployment()) },
		func() error { return s.Kudu(ctx, webhooktest.KuduJobRun()) },
		fromGitHub("release", webhooktest.GitHubRelease()),
	}
	for i, call := range calls {
		left := len(calls) - i
		inbox.age.Store(int64(time.Duration(left*left) * 20 * time.Second))
		if err := call(); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	s.calls = len(calls)
	dead, err := s.settled(ctx, webhook.Filter{Source: "jobserv", States: []webhook.State{webhook.Dead}}, 1)
	if err != nil {
		return err
	}
	if _, err := s.Inbox.Replay(ctx, webhook.Filter{UID: dead}, webhook.Note{By: "ann", Why: "the test was unstable"}); err != nil {
		return err
	}
	if _, err := s.settled(ctx, webhook.Filter{UID: dead, States: []webhook.State{webhook.Dead}}, 2); err != nil {
		return err
	}
	if err := s.Inbox.Pause(ctx, "dockerhub.push", webhook.Note{By: "ann", Why: "the registry moves"}); err != nil {
		return err
	}
	refused, err := s.refuse(ctx)
	if err != nil {
		return err
	}
	s.pages = map[string]string{"list": "/", "delivery": "/delivery?uid=" + dead, "question": "/act?act=replay&uid=" + dead, "call": refused}
	return nil
}

// refuse makes a call to a receiver whose secret was read from a file with its newline, and
// returns the page of the call.
func (s *stage) refuse(ctx context.Context) (string, error) {
	url := s.Mount("/hooks/github/mirror", github.Source(webhook.NewSecret("a-secret-that-a-file-has\n")), nil)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("a-secret-that-a-file-has")}
	if result := sender.Deliver(ctx, url, "push", webhooktest.GitHubPush()); result.Err != nil || result.Delivered {
		return "", fmt.Errorf("the call that should be refused: %+v", result)
	}
	return fmt.Sprintf("/call?n=%d", s.calls+1), nil
}

// settled waits until nothing runs any more and the delivery that a filter selects has had a
// number of attempts that failed, and returns its UID.
func (s *stage) settled(ctx context.Context, f webhook.Filter, attempts int) (string, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		o, err := s.Inbox.Overview(ctx, 100)
		if err != nil {
			return "", err
		}
		for r, err := range s.Inbox.All(ctx, f) {
			if err != nil {
				return "", err
			}
			full, err := s.Inbox.Get(ctx, r.Delivery.UID)
			if err != nil {
				return "", err
			}
			if len(full.Attempts) == attempts && o.Count[webhook.Claimed].N == 0 && o.Count[webhook.Waiting].N == 1 {
				return r.Delivery.UID, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

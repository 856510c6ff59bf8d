package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxDescription is GitHub's limit in characters (github/docs: commit statuses).
const maxDescription = 140

// A status is a commit status for GitHub. It is stored in the inbox as a delivery
// from github-ci itself, so if GitHub is unreachable the status is sent later and
// the build does not run again.
type status struct {
	Repository  string `json:"repository"`
	Commit      string `json:"commit"`
	State       string `json:"state"` // pending, success, failure, error
	Description string `json:"description"`
	Context     string `json:"context"`
	TargetURL   string `json:"target_url"`
}

// EventType is the type of the deliveries that the worker of statuses claims.
func (status) EventType() string { return "github-ci.status" }

// A reporter creates and sends the statuses of builds. The zero value reports
// nothing.
type reporter struct {
	api      *url.URL // if nil, builds are not reported
	token    webhook.Secret
	pagesURL string // base URL of the pages
}

// delivery returns the build's status as a delivery, or nil if builds are not
// reported. The newest status of a build supersedes older ones that still wait.
func (r reporter) delivery(b build) *webhook.Delivery {
	if r.api == nil {
		return nil
	}
	s := status{b.Repository, b.Commit, b.State, b.Detail, b.Context, r.buildURL(b.ID)}
	switch b.State {
	case running:
		s.State, s.Description = "pending", fmt.Sprintf("building %.12s", b.Commit)
	case replaced:
		s.State = "error"
	}
	if text := []rune(strings.ToValidUTF8(s.Description, "")); len(text) > maxDescription {
		s.Description = string(text[:maxDescription-1]) + "…"
	}
	body, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings can always be marshaled
	}
	d := webhook.NewDelivery("github-ci", s.EventType(), b.ID, body)
	d.UID = fmt.Sprintf("%s-%d-%s", b.ID, b.Run, b.State)
	d.Coalesce = webhook.NewestOnly() // an older status of this type that waits is needless
	return d
}

// buildURL returns the URL of a build's page.
func (r reporter) buildURL(id string) string { return r.pagesURL + "/builds/" + id }

// client does not follow redirects: they would change the method and could lead
// to another server.
var client = &http.Client{
	Timeout:       15 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send reports one status. Its error is Permanent if GitHub will never accept the
// status. A rejected token is retried, because it can be replaced.
func (r reporter) send(ctx context.Context, e *webhook.Event[status]) error {
	s := e.Payload
	owner, name, _ := strings.Cut(s.Repository, "/")
	target := r.api.JoinPath("repos", owner, name, "statuses", s.Commit)
	body, err := json.Marshal(map[string]string{
		"state": s.State, "description": s.Description, "context": s.Context, "target_url": s.TargetURL,
	})
	if err != nil {
		return webhook.Permanent(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return webhook.Permanent(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(r.token.Reveal()))
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "hookhouse-github-ci")
	res, err := client.Do(req)
	if err != nil {
		return err // it contains the URL, but no header
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusCreated {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, 512))
	err = fmt.Errorf("GitHub answered %s to status %q of %s: %q", res.Status, s.State, s.Repository, text)
	if res.StatusCode == http.StatusUnprocessableEntity {
		return webhook.Permanent(err)
	}
	if seconds, convErr := strconv.Atoi(res.Header.Get("Retry-After")); convErr == nil {
		return webhook.RetryAfter(min(time.Duration(seconds)*time.Second, time.Hour), err)
	}
	return err
}

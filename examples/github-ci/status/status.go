// Package status reports the states of builds as commit statuses of GitHub.
package status

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

	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxDescription is GitHub's limit in characters (github/docs: commit statuses).
const maxDescription = 140

// A Status is a commit status for GitHub. It is stored in the inbox as a delivery
// from github-ci itself, so if GitHub is unreachable the status is sent later and
// the build does not run again.
type Status struct {
	Repository  string `json:"repository"`
	Commit      string `json:"commit"`
	State       string `json:"state"` // pending, success, failure, error
	Description string `json:"description"`
	Context     string `json:"context"`
	TargetURL   string `json:"target_url"`
}

// EventType is the type of the deliveries that the worker of statuses claims.
func (Status) EventType() string { return "github-ci.status" }

// A Reporter creates and sends the statuses of builds. The zero value reports
// nothing. It is safe for concurrent use.
type Reporter struct {
	API      *url.URL // if nil, builds are not reported
	Token    webhook.Secret
	PagesURL string // base URL of the pages
}

// Delivery returns the build's status as a delivery, or nil if builds are not
// reported or the commit is not known. The newest status of a build supersedes older ones
// that still wait.
func (r Reporter) Delivery(b builds.Build) *webhook.Delivery {
	if r.API == nil || b.Commit == "" {
		return nil
	}
	s := Status{b.Repository, b.Commit, b.State, b.Detail, b.Context, r.BuildURL(b.ID)}
	switch b.State {
	case builds.Running:
		s.State, s.Description = "pending", fmt.Sprintf("building %.12s", b.Commit)
	case builds.Replaced:
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

// BuildURL returns the URL of a build's page.
func (r Reporter) BuildURL(id string) string { return r.PagesURL + "/builds/" + id }

// client does not follow redirects: they would change the method and could lead
// to another server.
var client = &http.Client{
	Timeout:       15 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Send reports one status. Its error is Permanent if GitHub will never accept the
// status. A rejected token is retried, because it can be replaced.
func (r Reporter) Send(ctx context.Context, e *webhook.Event[Status]) error {
	s := e.Payload
	body, err := json.Marshal(map[string]string{
		"state": s.State, "description": s.Description, "context": s.Context, "target_url": s.TargetURL,
	})
	if err != nil {
		return webhook.Permanent(err)
	}
	res, err := r.call(ctx, http.MethodPost, s.Repository, bytes.NewReader(body), "statuses", s.Commit)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusCreated {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, 512))
	err = fmt.Errorf("GitHub answered %s to status %q of %s%s: %q", res.Status, s.State, s.Repository, hint(res), text)
	if res.StatusCode == http.StatusUnprocessableEntity {
		return webhook.Permanent(err)
	}
	if seconds, convErr := strconv.Atoi(res.Header.Get("Retry-After")); convErr == nil && seconds >= 0 {
		return webhook.RetryAfter(min(time.Duration(seconds)*time.Second, time.Hour), err)
	}
	return err
}

// Check returns an error unless the token can read a repository. Whether it may
// report statuses is known only when it does.
func (r Reporter) Check(ctx context.Context, repository string) error {
	res, err := r.call(ctx, http.MethodGet, repository, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GitHub answered %s to GITHUB_TOKEN%s", res.Status, hint(res))
	}
	var got struct {
		ID int64 `json:"id"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&got); err != nil || got.ID == 0 {
		return fmt.Errorf("%s answered %s and no repository: it is not the API of GitHub", r.API.Host, res.Status)
	}
	return nil
}

// maxAnswer bounds an answer that is read. That of a repository has about 10 KiB.
const maxAnswer = 1 << 20

// hint returns the likely cause of a redirect.
func hint(res *http.Response) string {
	if res.StatusCode/100 != 3 {
		return ""
	}
	return " (the repository has another name, or the URL of the API is another one)"
}

// call calls the API for a repository.
func (r Reporter) call(ctx context.Context, method, repository string, body io.Reader, path ...string) (*http.Response, error) {
	owner, name, _ := strings.Cut(repository, "/")
	target := r.API.JoinPath(append([]string{"repos", owner, name}, path...)...)
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, webhook.Permanent(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(r.Token.Reveal()))
	req.Header.Set("Accept", "application/vnd.github+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "hookhouse-github-ci")
	res, err := client.Do(req)
	if err != nil {
		return nil, err // it contains the URL, but no header
	}
	if res.StatusCode == http.StatusSwitchingProtocols { // its body is the connection, which no timeout ends
		_ = res.Body.Close()
		return nil, fmt.Errorf("%s changes the protocol: status 101", r.API.Host)
	}
	return res, nil
}

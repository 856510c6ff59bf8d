package kudu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// Deployments returns the deployments that the site has kept, those received
// last first (Kudu: DeploymentController.cs, DeploymentManager.cs):
//
//   - Kudu keeps the 10 received last of those that have ever succeeded, and the
//     active one. One that never succeeded is kept only until the next one.
//   - A redeployment has the same ID and replaces the one before.
//   - One that has not ended has neither Complete nor an EndTime. When no
//     deployment is in progress, listing ends such a one as failed.
//   - They have no HostName, ProjectType and VSProjectID.
func (c *Client) Deployments(ctx context.Context) ([]Deployment, error) {
	return decodeList[Deployment](ctx, c, Deployments(), "list deployments")
}

// JobRuns returns the runs of a triggered WebJob that the site has kept, newest
// first (Kudu: TriggeredJobsManager.cs). Kudu keeps 50, or as many as the app
// setting WEBJOBS_HISTORY_SIZE says
// (https://learn.microsoft.com/azure/app-service/reference-app-settings). A run
// that was interrupted may have the status Aborted and no EndTime.
//
// JobRuns returns [ErrJobNotFound] if there is no such job and if it has not
// run.
func (c *Client) JobRuns(ctx context.Context, job string) ([]TriggeredJobRun, error) {
	return decodeList[TriggeredJobRun](ctx, c, TriggeredJob(job), "list runs")
}

func decodeList[T any](ctx context.Context, c *Client, of Target, operation string) ([]T, error) {
	got, err := c.list(ctx, of, "")
	if err != nil {
		return nil, callError(operation, err)
	}
	list := make([]T, len(got.entries))
	for i, entry := range got.entries {
		if err := json.Unmarshal(entry, &list[i]); err != nil {
			return nil, callError(operation, fmt.Errorf("%w: entry %d of the list cannot be decoded", ErrAnswer, i))
		}
	}
	return list, nil
}

// A Target is one of the lists of a site that a [CatchUp] looks at. The zero
// value is that of [Deployments].
type Target struct {
	job string // empty: deployments
	set bool   // it is a job
}

// Deployments is the list of a site's deployments.
func Deployments() Target { return Target{} }

// TriggeredJob is the history of a triggered WebJob. Kudu ignores the case of
// its name.
func TriggeredJob(name string) Target { return Target{job: name, set: true} }

// String returns "deployments", or "WebJob" and the name.
func (t Target) String() string {
	if !t.set {
		return "deployments"
	}
	return "WebJob " + t.job
}

func (t Target) validate() error {
	if t.set && !isSegment(t.job) {
		return fmt.Errorf("%w: %q is no name of a WebJob", ErrJobNotFound, t.job)
	}
	return nil
}

func (t Target) path() []string {
	if !t.set {
		return apiPath("deployments")
	}
	return apiPath("triggeredwebjobs", t.job, "history")
}

// A listing is an answer with the entries of a Target.
type listing struct {
	unchanged bool // since the answer with the ETag
	etag      string
	at        time.Time // by the site's clock
	entries   []json.RawMessage
}

// list reads a list. It is one answer, since Kudu has no pages. If etag is not
// empty and the list is the same as in the answer that had it, list returns
// only that.
//
// The ETag of deployments is that of the last change of any of them, and that
// of a job is made of the ID, status and end of its last run (Kudu:
// DeploymentController.cs, TriggeredJobsManager.cs).
func (c *Client) list(ctx context.Context, of Target, etag string) (listing, error) {
	if err := of.validate(); err != nil {
		return listing{}, err
	}
	got, err := c.send(ctx, request{method: http.MethodGet, path: of.path(), etag: etag})
	if status, ok := errors.AsType[*StatusError](err); ok && status.Code == http.StatusNotFound && of.set {
		return listing{}, fmt.Errorf("%w: %w", ErrJobNotFound, err)
	}
	if err != nil {
		return listing{}, err
	}
	list := listing{unchanged: got.unchanged, etag: got.header.Get("ETag"), at: api.ServerTime(got.header, time.Now())}
	if got.unchanged {
		return list, nil
	}
	if !of.set {
		err = json.Unmarshal(got.text, &list.entries)
	} else {
		var history struct{ Runs []json.RawMessage }
		err = json.Unmarshal(got.text, &history)
		list.entries = history.Runs
	}
	if err != nil || list.entries == nil {
		return listing{}, fmt.Errorf("%w: not the JSON of a list", ErrAnswer)
	}
	return list, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// The bounds of what is fetched for one build.
const (
	maxRuns   = 50              // runs whose tests are asked for
	maxTests  = 50              // tests
	maxFailed = 10              // results that are kept of a test
	maxLogs   = 10              // console logs
	maxLog    = 64 << 20        // bytes, from a server that sends a log whole
	maxFetch  = 2 * time.Minute // for all of it
)

// details asks JobServ's API for what a notification does not have.
type details struct {
	client   *jobserv.Client // nil: nothing is fetched
	wait     time.Duration
	logBytes int
}

func newDetails(s settings) (*details, error) {
	if s.api == "" {
		return &details{}, nil
	}
	var token webhook.Secret
	if s.tokenFile != "" {
		text, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("-token-file: %w", err)
		}
		if token = webhook.NewSecret(strings.TrimSpace(string(text))); token.IsZero() {
			return nil, fmt.Errorf("-token-file: %s is empty", s.tokenFile)
		}
	}
	c, err := jobserv.NewClient(token, s.api)
	if err != nil {
		return nil, fmt.Errorf("-api: %w", err)
	}
	c.TokenHeader, c.Rehost, c.Timeout, c.MaxLog = s.tokenHeader, s.rehost, s.apiTimeout, maxLog
	return &details{c, s.apiWait, s.logBytes}, nil
}

// fill adds tests and logs to r. The notification leaves JobServ before its
// transaction is over, so that the API may be behind: while the build may still
// wait, what cannot be told yet is an error and nothing is printed. Afterwards
// it is noted in r.Missing, like what waiting does not mend.
func (d *details) fill(ctx context.Context, e *webhook.Event[jobserv.Build], r *result) error {
	if d.client == nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, maxFetch)
	defer cancel()
	var late []error
	note := func(err error) {
		r.Missing = append(r.Missing, cut(err.Error()))
		if !errors.Is(err, jobserv.ErrHost) && !errors.Is(err, jobserv.ErrDenied) && !errors.Is(err, jobserv.ErrTooLarge) {
			late = append(late, err)
		}
	}
	d.tests(within, e.Payload, r, note)
	d.logs(within, e.Payload, r, note)
	if ctx.Err() != nil { // the program ends: nothing was learnt
		return context.Cause(ctx)
	}
	claim, _ := webhook.ClaimFromContext(ctx)
	if len(late) > 0 && time.Since(e.ReceivedAt) < d.wait && !claim.Last {
		return fmt.Errorf("the API does not tell yet: %w", late[0])
	}
	return nil
}

// tooMany is what is noted of what one of the bounds leaves out.
func tooMany(n int, format string, args ...any) error {
	return fmt.Errorf("%w: %d %s left out", jobserv.ErrTooLarge, n, fmt.Sprintf(format, args...))
}

// tests adds the tests of each run, with the results of those that failed.
func (d *details) tests(ctx context.Context, b jobserv.Build, r *result, note func(error)) {
	left, asked, more := maxTests, 0, 0
	for i, run := range b.Runs {
		if run.TestsURL.Or("") == "" {
			continue
		}
		if asked == maxRuns {
			more++
			continue
		}
		asked++
		list, err := d.client.Tests(ctx, run)
		if err != nil {
			note(err)
		}
		if len(list) > left {
			note(tooMany(len(list)-left, "tests of run %q are", run.Name))
			list = list[:left]
		}
		left -= len(list)
		for _, t := range list {
			if !t.Status.Complete() { // of a run that is
				note(fmt.Errorf("test %q of run %q is still %s", t.Name, run.Name, t.Status))
			}
			told := testResult{Name: cut(t.Name), Context: cut(t.Context), Status: t.Status}
			if t.Status == jobserv.Failed {
				if told.Failed, err = d.failed(ctx, t); err != nil {
					note(err)
				}
				if more := len(told.Failed) - maxFailed; more > 0 {
					note(tooMany(more, "failed results of test %q of run %q are", t.Name, run.Name))
					told.Failed = told.Failed[:maxFailed]
				}
			}
			r.Runs[i].Tests = append(r.Runs[i].Tests, told)
		}
	}
	if more > 0 {
		note(tooMany(more, "runs' tests are"))
	}
}

// failed returns the results of a test that have not passed.
func (d *details) failed(ctx context.Context, t jobserv.Test) ([]caseResult, error) {
	full, err := d.client.Test(ctx, t.URL)
	if err != nil {
		return nil, err
	}
	var failed []caseResult
	for _, c := range full.Results {
		if !c.Status.Passed() && c.Status != jobserv.Skipped {
			failed = append(failed, caseResult{cut(c.Name), cut(c.Context), c.Status, cut(c.Output)})
		}
	}
	return failed, nil
}

// logs adds the end of the console log of each run that failed.
func (d *details) logs(ctx context.Context, b jobserv.Build, r *result, note func(error)) {
	if d.logBytes == 0 {
		return
	}
	asked, more := 0, 0
	for i, run := range b.Runs {
		if run.Status != jobserv.Failed {
			continue
		}
		if asked == maxLogs {
			more++
			continue
		}
		asked++
		tail, err := d.client.LogTail(ctx, run, d.logBytes)
		if err != nil {
			note(err)
		}
		r.Runs[i].LogTail = strings.ToValidUTF8(string(tail), "\uFFFD")
	}
	if more > 0 {
		note(tooMany(more, "logs of failed runs are"))
	}
}

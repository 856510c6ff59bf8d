package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// Limits on what is fetched for one build.
const (
	maxRuns   = 50              // runs whose tests are fetched
	maxTests  = 50              // tests
	maxFailed = 10              // failed results per test
	maxLogs   = 10              // console logs
	maxLog    = 64 << 20        // bytes of one log, for a server that always sends the whole log
	maxFetch  = 2 * time.Minute // total time
)

// details fetches from JobServ's API what a notification does not contain.
type details struct {
	client   *jobserv.Client // if nil, nothing is fetched
	wait     time.Duration   // how long after its arrival a build may wait for the API
	logBytes int             // maximum bytes of the end of a log; 0 means that no logs are fetched
}

func newDetails(s settings, getenv func(string) string) (*details, error) {
	if s.api == "" {
		return &details{}, nil
	}
	getenv, err := withFile(getenv, tokenName, "-token-file", s.tokenFile)
	if err != nil {
		return nil, err
	}
	token, err := readSecret(getenv, tokenName)
	if err != nil {
		return nil, err
	}
	c, err := jobserv.NewClient(token, s.api)
	if err != nil {
		return nil, fmt.Errorf("-api: %w", err)
	}
	c.TokenHeader, c.Rehost, c.Timeout, c.MaxLog = s.tokenHeader, s.rehost, s.apiTimeout, maxLog
	return &details{c, s.apiWait, s.logBytes}, nil
}

// fill adds tests and logs to r. JobServ sends a notification before it commits
// its transaction, so the API may lag behind. While the build may still wait,
// fill returns an error if something is not available yet, and nothing is printed.
// After that, and at once for errors that waiting cannot fix, fill records what is
// missing in r.Missing.
func (d *details) fill(ctx context.Context, e *webhook.Event[jobserv.Build], r *result) error {
	if d.client == nil {
		return nil
	}
	fetchCtx, cancel := context.WithTimeout(ctx, maxFetch)
	defer cancel()
	var unavailable []error
	addMissing := func(err error) {
		r.Missing = append(r.Missing, truncate(err.Error()))
		if !errors.Is(err, jobserv.ErrHost) && !errors.Is(err, jobserv.ErrDenied) && !errors.Is(err, jobserv.ErrTooLarge) {
			unavailable = append(unavailable, err)
		}
	}
	d.tests(fetchCtx, e.Payload, r, addMissing)
	d.logs(fetchCtx, e.Payload, r, addMissing)
	if ctx.Err() != nil { // the program stops: the errors say nothing about the API
		return context.Cause(ctx)
	}
	claim, _ := webhook.ClaimFromContext(ctx)
	if len(unavailable) > 0 && time.Since(e.ReceivedAt) < d.wait && !claim.Last {
		return fmt.Errorf("the API is not up to date yet: %w", unavailable[0])
	}
	return nil
}

// errOmitted returns the error for n items that exceed a limit.
func errOmitted(n int, format string, args ...any) error {
	return fmt.Errorf("%w: %d %s are omitted", jobserv.ErrTooLarge, n, fmt.Sprintf(format, args...))
}

// tests adds the tests of each run, with the results of those that failed.
func (d *details) tests(ctx context.Context, b jobserv.Build, r *result, addMissing func(error)) {
	remaining, fetched, omitted := maxTests, 0, 0
	for i, run := range b.Runs {
		if run.TestsURL.Or("") == "" {
			continue
		}
		if fetched == maxRuns {
			omitted++
			continue
		}
		fetched++
		list, err := d.client.Tests(ctx, run)
		if err != nil {
			addMissing(err)
		}
		if len(list) > remaining {
			addMissing(errOmitted(len(list)-remaining, "tests of run %q", run.Name))
			list = list[:remaining]
		}
		remaining -= len(list)
		for _, t := range list {
			if !t.Status.Complete() { // although its run is complete
				addMissing(fmt.Errorf("test %q of run %q is still %s", t.Name, run.Name, t.Status))
			}
			shown := testResult{Name: truncate(t.Name), Context: truncate(t.Context), Status: t.Status}
			if t.Status == jobserv.Failed {
				if shown.Failed, err = d.failed(ctx, t); err != nil {
					addMissing(err)
				}
				if omitted := len(shown.Failed) - maxFailed; omitted > 0 {
					addMissing(errOmitted(omitted, "failed results of test %q of run %q", t.Name, run.Name))
					shown.Failed = shown.Failed[:maxFailed]
				}
			}
			r.Runs[i].Tests = append(r.Runs[i].Tests, shown)
		}
	}
	if omitted > 0 {
		addMissing(fmt.Errorf("%w: the tests of %d runs are omitted", jobserv.ErrTooLarge, omitted))
	}
}

// failed returns the results of a test that neither passed nor were skipped.
func (d *details) failed(ctx context.Context, t jobserv.Test) ([]caseResult, error) {
	full, err := d.client.Test(ctx, t.URL)
	if err != nil {
		return nil, err
	}
	var failed []caseResult
	for _, c := range full.Results {
		if !c.Status.Passed() && c.Status != jobserv.Skipped {
			failed = append(failed, caseResult{truncate(c.Name), truncate(c.Context), c.Status, truncate(c.Output)})
		}
	}
	return failed, nil
}

// logs adds the end of the console log of each failed run.
func (d *details) logs(ctx context.Context, b jobserv.Build, r *result, addMissing func(error)) {
	if d.logBytes == 0 {
		return
	}
	fetched, omitted := 0, 0
	for i, run := range b.Runs {
		if run.Status != jobserv.Failed {
			continue
		}
		if fetched == maxLogs {
			omitted++
			continue
		}
		fetched++
		tail, err := d.client.LogTail(ctx, run, d.logBytes)
		if err != nil {
			addMissing(err)
		}
		r.Runs[i].LogTail = strings.ToValidUTF8(string(tail), "\uFFFD")
	}
	if omitted > 0 {
		addMissing(errOmitted(omitted, "logs of failed runs"))
	}
}

package target

import (
	"context"
	"fmt"
	"time"
)

// MaxStartPeriod is the longest start period of a health check that is waited for.
const MaxStartPeriod = time.Hour

// The time between two looks at a container doubles from one to the other: each look takes
// a tenth of a second of the CPU, for the docker program.
const (
	minHealthPoll = 250 * time.Millisecond
	maxHealthPoll = time.Second
)

// waitHealthy waits until all containers, which were started together, are
// healthy: their health check has passed or, without one, they have run for
// MinUptime. It returns ErrRejected if one is not.
//
// Before has restarts by the id of a container that are of an earlier time and do not count.
//
// A container that has ended is started once more: the engine may have been stopped
// after the start, and all containers with it.
func (e *Engine) waitHealthy(ctx context.Context, before map[string]int, ids ...string) error {
	begin := make(map[string]time.Time) // after the first look, so that a slow engine does not shorten the times
	again := make(map[string]bool)
	for wait := minHealthPoll; ; wait = min(2*wait, maxHealthPoll) {
		all, err := e.inspect(ctx, ids...)
		if err != nil {
			return err
		}
		healthy := 0
		for name, c := range all {
			c.RestartCount = max(0, c.RestartCount-before[c.ID])
			if !c.State.Running && !c.State.Restarting && c.RestartCount == 0 && !again[name] {
				again[name] = true
				if err := e.do(ctx, []string{"start", c.ID}); err != nil {
					return fmt.Errorf("%w: %w", ErrStart, err)
				}
				delete(begin, name)
				continue
			}
			if begin[name].IsZero() {
				begin[name] = time.Now()
			}
			ok, err := e.checkHealth(c, time.Since(begin[name]))
			if err != nil {
				return fmt.Errorf("%w; its last output: %s", err, e.lastOutput(ctx, c.ID))
			}
			if ok {
				healthy++
			}
		}
		if healthy == len(all) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// restarts returns the restarts of the containers that run, by their id.
func restarts(all ...inspected) map[string]int {
	before := make(map[string]int)
	for _, c := range all {
		if c.State.Running {
			before[c.ID] = c.RestartCount
		}
	}
	return before
}

// checkHealth reports whether a container that has been watched for the elapsed
// time is healthy, or returns the reason for rejecting it.
func (e *Engine) checkHealth(c inspected, elapsed time.Duration) (bool, error) {
	limit := e.HealthTimeout
	if c.Config.Healthcheck != nil {
		limit += min(c.Config.Healthcheck.StartPeriod, MaxStartPeriod)
	}
	switch health := c.State.Health; {
	case !c.State.Running, c.State.Restarting, c.RestartCount > 0:
		return false, fmt.Errorf("%w: exited with status %d", ErrRejected, c.State.ExitCode)
	case health == nil || health.Status == "none" || health.Status == "":
		return elapsed >= e.MinUptime, nil
	case health.Status == "healthy":
		return true, nil
	case health.Status == "unhealthy":
		output := new(tail)
		if n := len(health.Log); n > 0 {
			_, _ = output.Write([]byte(health.Log[n-1].Output))
		}
		return false, fmt.Errorf("%w: unhealthy: %s", ErrRejected, output.oneLine())
	case elapsed > limit:
		return false, fmt.Errorf("%w: not healthy within %s", ErrRejected, limit)
	default:
		return false, nil
	}
}

// lastOutput returns the end of a container's log, for people: the container is going to
// be removed.
func (e *Engine) lastOutput(ctx context.Context, id string) string {
	out, stderr, err := e.Docker.Run(ctx, "", "logs", "--tail=10", id)
	if err != nil {
		return "not available"
	}
	t := new(tail)
	_, _ = t.Write([]byte(out + "\n" + stderr))
	return t.oneLine()
}

package catchup

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

const (
	minEvery   = time.Minute
	gather     = 5 * time.Second // from Look until the look, for what fails at the same time
	heartbeat  = time.Minute
	sleptFor   = 30 * time.Second // a heartbeat that is this late means that the machine has slept
	minBackoff = 5 * time.Second
	maxBackoff = 5 * time.Minute
	// Refused credentials are tried less often: some senders refuse all requests for a while
	// after many with wrong ones.
	minSlow = time.Minute
	maxSlow = 30 * time.Minute
	// Looks while something is missing and does not arrive.
	minIdle = time.Minute
	maxIdle = 30 * time.Minute
)

// CheckEvery returns an error if a time between two looks is neither zero nor a minute or
// more. It names the value.
func CheckEvery(every time.Duration) error {
	if every != 0 && every < minEvery {
		return fmt.Errorf("field Every is %v, under %v", every, minEvery)
	}
	return nil
}

// Idle returns the time until the next round after n in a row, at least one, in which
// something was missing and nothing of it arrived: a minute, doubled each time, up to 30
// minutes.
func Idle(n int) time.Duration { return doubled(minIdle, maxIdle, n-1) }

// backoff returns the wait after an error, of which there were n before in a row.
func (s Settings) backoff(err error, n int) time.Duration {
	if matches(err, s.Slow) {
		return doubled(minSlow, maxSlow, n)
	}
	return doubled(minBackoff, maxBackoff, n)
}

// matches reports whether an error matches one of kinds.
func matches(err error, kinds []error) bool {
	return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}

// doubled returns first, doubled n times, up to most.
func doubled(first, most time.Duration, n int) time.Duration {
	return min(first<<min(max(n, 0), 16), most)
}

// A reason is why a wait has ended.
type reason int

const (
	isOver  reason = iota // ctx has ended
	isDue                 // the time has passed
	isAsked               // by Look, or since the machine has slept
)

// rest waits for d, or for the next reason to look if d is zero. After an error Look does not
// shorten the wait.
func (l *Loop) rest(ctx context.Context, d time.Duration, failed bool) reason {
	wake, s := l.wake, l.settings
	if failed {
		wake = nil
	}
	var due <-chan time.Time
	if d == 0 && s.Every > 0 {
		d = s.untilTurn(time.Now())
	}
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	last := time.Now().Round(0) // without the monotonic clock, which may stop in sleep
	for {
		select {
		case <-ctx.Done():
			return isOver
		case <-due:
			return isDue
		case <-wake:
			if Sleep(ctx, gather) != nil {
				return isOver
			}
			return isAsked
		case <-beat.C:
			now := time.Now().Round(0)
			if hasSlept(last, now) {
				return isAsked
			}
			last = now
		}
	}
}

// hasSlept reports whether a heartbeat came so late that the machine has slept.
func hasSlept(last, now time.Time) bool { return now.Sub(last) > heartbeat+sleptFor }

// untilTurn returns the time until the next look at an interval. The targets of a process
// have their looks at different times, which their keys choose.
func (s Settings) untilTurn(now time.Time) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Key)) // never fails
	phase := time.Duration(h.Sum64() % uint64(s.Every))
	return s.Every - (time.Duration(now.UnixNano())-phase)%s.Every
}

// Sleep waits for d, which may be negative. It returns the error of ctx if that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

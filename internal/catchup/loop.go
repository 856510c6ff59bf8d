package catchup

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Loop decides when a catch-up looks at its target: when Run begins, when Look asks for it,
// after the machine has slept, and at intervals if Settings.Every is set. [NewLoop] makes one.
type Loop struct {
	wake    chan struct{} // has an element if a look is asked for
	running atomic.Bool

	// Of Run only.
	settings Settings
	problem  string // the kind of the error that was logged last; empty: none
	again    bool   // see Again
}

// NewLoop returns a Loop that is not running.
func NewLoop() *Loop { return &Loop{wake: make(chan struct{}, 1)} }

// Settings are those of one Run. They do not change while it runs.
type Settings struct {
	// Begin resets what an earlier Run has left. It is called once, when it is certain that
	// no other Run is in progress. If nil, nothing is reset.
	Begin func()
	// Round looks once and catches up. It returns the time until the next round is due; zero
	// means that only Every, Look or a sleep of the machine makes one. After an error that
	// time has no meaning, and Until and Slow decide. Required. Round is called by one
	// goroutine.
	Round func(ctx context.Context) (time.Duration, error)
	// Ended gets the result of each round, nil if it worked. If nil, nobody gets it. A round
	// that ends because ctx has ended is left out.
	Ended func(err error)

	// Every is the time between two looks at intervals. Zero means none. See [CheckEvery].
	Every time.Duration
	// Key chooses the moment within Every, so that the looks of many targets are spread
	// evenly over it. Use the name of the cursor.
	Key string

	// Logger gets the errors. If nil, slog.Default.
	Logger *slog.Logger
	// Target is what the lines of the log are about: "hook", "repos/owner/repo/hooks/1".
	Target []any

	// Kinds are the errors that differ in the log: an error that matches the same kind as the
	// one before, by errors.Is, is not logged again. The first that matches
	// counts. An error that matches none, and does not match context.DeadlineExceeded or
	// [ErrInbox], is of the kind "another error".
	Kinds []error
	// Slow are those that only a person mends, such as refused credentials. They are tried
	// again after one minute, and then less and less often, up to 30 minutes. Others are
	// tried again after five seconds, and up to five minutes.
	Slow []error
	// Beside are those of a round that has looked all the same. After one Look shortens the
	// wait, and so does the next turn of Every.
	Beside []error
	// Until returns the time before which no round may begin after an error, such as that of
	// a rate limit, by this machine's clock. The wait is five seconds or more. It does not
	// count as a failure for the waits after later ones. After an error in Slow the longer one
	// of the two waits counts. If nil, there is no such time.
	Until func(err error) (time.Time, bool)
}

// Run calls Round until ctx ends, and then returns nil. It returns [webhook.ErrRunning] at
// once if the Loop is running already.
func (l *Loop) Run(ctx context.Context, s Settings) error {
	if !l.running.CompareAndSwap(false, true) {
		return webhook.ErrRunning
	}
	defer l.running.Store(false)
	l.settings, l.problem, l.again = s, "", false
	if s.Begin != nil {
		s.Begin()
	}
	failed := 0
	for ctx.Err() == nil {
		wait, err := s.Round(ctx)
		if ctx.Err() != nil {
			break
		}
		l.report(err)
		switch until, ok := s.until(err); {
		case ok && !matches(err, s.Slow):
			wait = max(time.Until(until), minBackoff)
		case err != nil:
			wait = s.backoff(err, failed)
			if ok {
				wait = max(wait, time.Until(until))
			}
			failed++
		default:
			failed = 0
		}
		isBeside := matches(err, s.Beside)
		again := isBeside
		if turn := l.UntilTurn(); isBeside && turn > 0 && turn <= wait {
			wait, again = turn, false
		}
		reason := l.rest(ctx, wait, err != nil && !isBeside)
		l.again = again && reason == isDue
	}
	return nil
}

// Look asks for a look soon. It does not wait. After an error it does not shorten the wait.
// It is safe for concurrent use.
func (l *Loop) Look() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Logged reports whether the log has an error of the kind of err already, and none since. It
// is for Round, which may log the errors of single things itself.
func (l *Loop) Logged(err error) bool { return l.problem == l.settings.kindOf(err) }

// Again reports whether the round is made only to try again what failed, after an error in
// Beside: neither a turn of Every, nor Look, nor a sleep of the machine asks for a look. It is
// for Round, which may leave out the rest.
func (l *Loop) Again() bool { return l.again }

// UntilTurn returns the time until the next look at an interval, zero if there are none. It is
// for a Round whose wait must not hold up that look.
func (l *Loop) UntilTurn() time.Duration {
	if l.settings.Every == 0 {
		return 0
	}
	return l.settings.untilTurn(time.Now())
}

// report logs an error whose kind differs from the one before, and the end of one.
func (l *Loop) report(err error) {
	s := l.settings
	if s.Ended != nil {
		s.Ended(err)
	}
	problem := ""
	if err != nil {
		problem = s.kindOf(err)
	}
	if problem == l.problem {
		return
	}
	l.problem = problem
	log := cmp.Or(s.Logger, slog.Default()).With(s.Target...)
	if err == nil {
		log.Info("catch-up works again")
	} else {
		log.Warn("catch-up fails, and is tried again", "reason", err)
	}
}

// kindOf returns what is logged once. The text of an error may differ each time.
func (s Settings) kindOf(err error) string {
	for _, kinds := range [][]error{s.Kinds, {ErrInbox, context.DeadlineExceeded}} {
		for _, kind := range kinds {
			if errors.Is(err, kind) {
				return kind.Error()
			}
		}
	}
	return "another error"
}

func (s Settings) until(err error) (time.Time, bool) {
	if err == nil || s.Until == nil {
		return time.Time{}, false
	}
	return s.Until(err)
}

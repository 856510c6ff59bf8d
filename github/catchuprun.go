package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// Run looks and catches up until ctx ends, and then returns nil. The error is one of the
// CatchUp's settings, at once, or [webhook.ErrRunning] if Run is called twice.
func (c *CatchUp) Run(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("github: catch-up: %w", err)
	}
	if err := c.loop.Run(ctx, c.settings()); err != nil {
		return fmt.Errorf("github: catch-up of %s: %w", c.hook, err)
	}
	return nil
}

// settings returns what the loop needs.
func (c *CatchUp) settings() catchup.Settings {
	return catchup.Settings{
		Begin:  c.begin,
		Round:  c.round,
		Ended:  func(err error) { c.status.Change(func(s *CatchUpStatus) { s.Err = err }) },
		Every:  c.Every,
		Key:    c.cursorName(),
		Logger: c.Logger,
		Target: []any{"hook", c.hook},
		Kinds:  []error{ErrRateLimited, ErrDenied, ErrHookNotFound, ErrServer, ErrAnswer, ErrTooLarge, errCredentials},
		// GitHub refuses all requests for a while after many with wrong credentials.
		Slow: []error{ErrDenied, ErrHookNotFound},
		Until: func(err error) (time.Time, bool) {
			limited, ok := errors.AsType[*RateLimitError](err)
			if !ok {
				return time.Time{}, false
			}
			return limited.Until, true
		},
	}
}

// begin resets what an earlier Run has left.
func (c *CatchUp) begin() {
	c.status.Change(func(s *CatchUpStatus) { *s = CatchUpStatus{} })
	c.began = time.Now()
	c.etag, c.idle = "", 0
	c.open, c.same = make(map[string]*openCall), make(map[string]bool)
}

// listedFor is how long GitHub lists a delivery; see [CatchUp].
const listedFor = 3 * 24 * time.Hour

func (c *CatchUp) validate() error {
	if err := c.hook.validate(); err != nil {
		return err
	}
	if err := catchup.CheckEvery(c.Every); err != nil {
		return fmt.Errorf("%s: %w", c.hook, err)
	}
	if err := c.cursor().Check(); err != nil {
		return fmt.Errorf("%s: %w", c.hook, err)
	}
	if err := catchup.CheckWindow(c.inbox, listedFor); err != nil {
		return fmt.Errorf("%s: %w", c.hook, err)
	}
	if c.source.Name == "" {
		return errors.New("the source has no name")
	}
	_, err := c.dedupKey(hookDelivery{GUID: "00000000-0000-0000-0000-000000000000", Event: "ping"})
	return err
}

func (c *CatchUp) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

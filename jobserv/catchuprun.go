package jobserv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// Run looks and catches up until ctx ends, and then returns nil. The error is one of the
// CatchUp's settings, at once, or [webhook.ErrRunning] if Run is called twice.
func (c *CatchUp) Run(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("jobserv: catch-up: %w", err)
	}
	if err := c.loop.Run(ctx, c.settings()); err != nil {
		return fmt.Errorf("jobserv: catch-up of %s: %w", c.project, err)
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
		Target: []any{"project", c.project},
		Kinds:  []error{ErrRateLimited, ErrDenied, ErrNotFound, ErrServer, ErrHost, ErrAnswer, ErrTooLarge},
		Slow:   []error{ErrDenied, ErrNotFound},
		Beside: []error{errBeside},
		Until:  limitedUntil,
	}
}

// begin resets what an earlier Run has left.
func (c *CatchUp) begin() {
	c.status.Change(func(s *CatchUpStatus) { *s = CatchUpStatus{} })
	c.began, c.halted = time.Now(), halt{}
	c.maxAge, _ = catchup.MaxAge(c.inbox, c.MaxAge, usualMaxAge) // validated
	c.open, c.same, c.unread = make(map[string]*openBuild), make(map[string]bool), make(map[int64]*unreadBuild)
}

func (c *CatchUp) validate() error {
	if err := checkProject(c.project); err != nil {
		return err
	}
	if err := catchup.CheckEvery(c.Every); err != nil {
		return fmt.Errorf("%s: %w", c.project, err)
	}
	if _, err := catchup.MaxAge(c.inbox, c.MaxAge, usualMaxAge); err != nil {
		return fmt.Errorf("%s: %w", c.project, err)
	}
	if err := c.cursor().Check(); err != nil {
		return fmt.Errorf("%s: %w", c.project, err)
	}
	if c.source.Name == "" {
		return errors.New("the source has no name")
	}
	_, err := c.dedupKey(buildAt(c.client.buildsURL(c.project)+"1/", time.Unix(1, 0)))
	return err
}

// checkProject returns an error if a text cannot be the name of a project in a path.
func checkProject(project string) error {
	if project == "" {
		return errors.New("the name of the project is empty")
	}
	for part := range strings.SplitSeq(project, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\?#\x00") {
			return fmt.Errorf("the project %q has %q in its name", project, part)
		}
	}
	return nil
}

func (c *CatchUp) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

// usualMaxAge is half of the usual Window of an inbox.
const usualMaxAge = 14 * 24 * time.Hour

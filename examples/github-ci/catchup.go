package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// readHook parses a value of -catch-up-hook: owner/repository/id, or organization/id.
func readHook(text string) (github.HookRef, error) {
	parts := strings.Split(text, "/")
	id, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
	for _, part := range parts {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\?#% \x00") {
			err = errors.New("a part cannot be one of a path")
		}
	}
	if err != nil || id <= 0 || len(parts) != 2 && len(parts) != 3 {
		return github.HookRef{}, errors.New("want owner/repository/id or organization/id of a webhook; its id is in the address of its page in the settings")
	}
	if len(parts) == 2 {
		return github.OrganizationHook(parts[0], id), nil
	}
	return github.RepositoryHook(parts[0], parts[1], id), nil
}

// looks reports whether missed pushes are looked for.
func (s *settings) looks() bool { return s.missed.look && len(s.hooks) > 0 && !s.token.IsZero() }

// newCatchUps returns a CatchUp for each -catch-up-hook. It returns none, and logs why, if
// the program does not know where to look or has no token.
func (s *settings) newCatchUps(source webhook.Source, inbox github.CatchUpInbox, log *slog.Logger) ([]*github.CatchUp, error) {
	if !s.missed.look {
		return nil, nil
	}
	if !s.looks() {
		var missing []string
		if len(s.hooks) == 0 {
			missing = append(missing, "-catch-up-hook")
		}
		if s.token.IsZero() {
			missing = append(missing, tokenName)
		}
		log.Info("missed pushes are not looked for: set " + strings.Join(missing, " and "))
		return nil, nil
	}
	client, err := github.NewClient(s.api.String(), github.Token(s.token))
	if err != nil {
		return nil, fmt.Errorf("-api: %w", err)
	}
	var all []*github.CatchUp
	for _, hook := range s.hooks {
		c := github.NewCatchUp(client, hook, source, inbox)
		c.Every, c.Logger = s.missed.every, log
		all = append(all, c)
	}
	return all, nil
}

// leftOut is the type of the calls that are not built, such as a ping.
const leftOut = "github-ci.left-out"

// leavingOut returns a Handler that stores a call which is not built, so that it is not
// missing. It takes no push's place.
func leavingOut(inbox webhook.Handler) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		d.Type, d.OrderingKey, d.Coalesce = leftOut, "", webhook.Coalesce{}
		return inbox.Handle(ctx, d)
	})
}

// statusOf returns a func that reads the status of c for its metrics.
func statusOf(c *github.CatchUp) func() prom.CatchUpStatus {
	return func() prom.CatchUpStatus {
		s := c.Status()
		return prom.CatchUpStatus{
			Missing: s.Missing, Found: s.Found, Settled: s.Settled, Lost: s.Lost, Looks: s.Looks, Looked: s.Looked, Err: s.Err,
		}
	}
}

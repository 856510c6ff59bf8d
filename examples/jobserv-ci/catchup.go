package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// projects are the values of -project.
type projects []string

func (p *projects) String() string { return strings.Join(*p, " ") }

func (p *projects) Set(value string) error {
	for _, known := range *p {
		if known == value {
			return fmt.Errorf("it is set twice to %s", value)
		}
	}
	if value == "" {
		return errors.New("it is empty")
	}
	*p = append(*p, value)
	return nil
}

// newCatchUps returns a CatchUp for each project. It returns none, and logs why, if the
// program does not know where to look.
func newCatchUps(s settings, client *jobserv.Client, source webhook.Source, inbox jobserv.CatchUpInbox, log *slog.Logger) []*jobserv.CatchUp {
	if !s.missed.look {
		return nil
	}
	switch {
	case client == nil:
		log.Warn("missed builds are not looked for: set -project and -api, and JOBSERV_API_TOKEN if the API needs a token")
	case len(s.projects) == 0:
		log.Warn("missed builds are not looked for: set -project")
	}
	var all []*jobserv.CatchUp
	for _, project := range s.projects {
		c := jobserv.NewCatchUp(client, project, source, inbox)
		c.Every, c.Logger = s.missed.every, log
		if s.onlyFailures {
			c.Notified = func(b jobserv.Build) bool { return !b.Passed() }
		}
		all = append(all, c)
	}
	return all
}

// statusOf returns a func that reads the status of c for its metrics.
func statusOf(c *jobserv.CatchUp) func() prom.CatchUpStatus {
	return func() prom.CatchUpStatus {
		s := c.Status()
		return prom.CatchUpStatus{
			Missing: s.Missing, Found: s.Found, Settled: s.Settled, Lost: s.Lost, Looks: s.Looks, Looked: s.Looked, Err: s.Err,
		}
	}
}

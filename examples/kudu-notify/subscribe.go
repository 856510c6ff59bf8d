package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// events are the two that Kudu publishes itself, each at a path of its own.
var events = []struct{ name, path string }{
	{kudu.EventPostDeployment, "/hooks/kudu/deployments"},
	{kudu.EventTriggeredJobFinished, "/hooks/kudu/jobs"},
}

// A subscriber sees to the hooks of this program at the site.
type subscriber struct {
	site  *kudu.Client
	hooks []kudu.Hook
	known *ledger
	retry webhook.Backoff
	log   *slog.Logger
}

// Run subscribes and returns. It may be run each time the program starts. A hook
// of ours that is no longer as it should be, with the password of last month, is
// removed when its successor is there.
//
// What fails is tried again, and meanwhile calls are taken: hooks of earlier runs
// may be there, and Kudu calls once. Only where there never were any, and where
// waiting does not help, is it an error that ends the program. When ctx ends
// there is none: the next start goes on.
func (s *subscriber) Run(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := s.subscribe(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if hopeless(err) && s.known.never(ctx) {
			return err
		}
		wait := s.retry.Delay(attempt)
		s.log.Error("not subscribed as it should be; calls are taken all the same", "reason", err, "delay", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// hopeless reports whether somebody has to mend something: the credentials, or
// which site and URL were named.
func hopeless(err error) bool {
	for _, reason := range []error{kudu.ErrSite, kudu.ErrDenied, kudu.ErrHookInvalid, kudu.ErrHookConflict, kudu.ErrHookNotFound, kudu.ErrAnswer} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

func (s *subscriber) subscribe(ctx context.Context) error {
	for _, h := range s.hooks {
		made, err := s.site.Ensure(ctx, h)
		if err != nil {
			return fmt.Errorf("cannot subscribe at -site: %w", err)
		}
		s.log.Info("subscribed", "hook", made)
		if err := s.known.note(ctx); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
	}
	err := s.removeOurs(ctx, func(h kudu.Hook) bool {
		return !slices.ContainsFunc(s.hooks, func(keep kudu.Hook) bool { return h.URL == keep.URL })
	})
	if err == nil {
		s.log.Info("ready: the site calls this program")
	}
	return err
}

// remove takes all hooks of this program away.
func (s *subscriber) remove(ctx context.Context) error {
	return s.removeOurs(ctx, func(kudu.Hook) bool { return true })
}

// removeOurs takes away the hooks that lead to this program and that f chooses.
func (s *subscriber) removeOurs(ctx context.Context, f func(kudu.Hook) bool) error {
	all, err := s.site.List(ctx)
	if err != nil {
		return fmt.Errorf("cannot list the hooks of -site: %w", err)
	}
	for _, h := range all {
		if !s.isOurs(h) || !f(h) {
			continue
		}
		if err := s.site.Unsubscribe(ctx, h.ID); err != nil {
			return fmt.Errorf("cannot unsubscribe at -site: %w", err)
		}
		s.log.Info("unsubscribed", "hook", h)
	}
	return nil
}

// isOurs compares where hooks lead to, whatever password and channel they have.
func (s *subscriber) isOurs(h kudu.Hook) bool {
	return slices.ContainsFunc(s.hooks, func(own kudu.Hook) bool {
		return strings.EqualFold(place(h.URL), place(own.URL))
	})
}

// place is a URL without user information and query, empty where it is none.
func place(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

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

// events are the two events that Kudu itself publishes, each with its own path.
var events = []struct{ name, path string }{
	{kudu.EventPostDeployment, "/hooks/kudu/deployments"},
	{kudu.EventTriggeredJobFinished, "/hooks/kudu/jobs"},
}

// A subscriber manages the hooks of this program at one site.
type subscriber struct {
	url           string // of the site
	site          *kudu.Client
	hooks         []kudu.Hook
	subscriptions *subscriptions
	retry         webhook.Backoff
	log           *slog.Logger
}

// Run creates the hooks and returns nil. It runs at each start of the program. It
// removes an outdated hook of this program, such as one with an old password,
// after it has created its replacement.
//
// Run retries if it fails. Meanwhile the program accepts events, because hooks of
// earlier runs may exist and Kudu sends each event once. Run returns an error,
// which ends the program, only if no hook was ever created at any site and a retry
// cannot succeed. If ctx is done it returns nil; the next start continues.
func (s *subscriber) Run(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := s.subscribe(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if isConfigError(err) && s.subscriptions.neverSubscribed(ctx) {
			return err
		}
		wait := s.retry.Delay(attempt)
		s.log.Error("subscription failed; events are still accepted", "site", s.url, "reason", err, "delay", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// isConfigError reports whether err can be fixed only by changing the configuration:
// the credentials, the site or the URL.
func isConfigError(err error) bool {
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
		s.log.Info("subscribed", "site", s.url, "hook", made)
		if err := s.subscriptions.record(ctx, s.url); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
	}
	err := s.removeHooks(ctx, func(h kudu.Hook) bool {
		return !slices.ContainsFunc(s.hooks, func(keep kudu.Hook) bool { return h.URL == keep.URL })
	})
	if err == nil {
		s.log.Info("ready: the site sends its events to this program", "site", s.url)
	}
	return err
}

// remove removes all hooks of this program.
func (s *subscriber) remove(ctx context.Context) error {
	return s.removeHooks(ctx, func(kudu.Hook) bool { return true })
}

// unsubscribe removes the hooks of this program at all sites, and returns the errors.
func unsubscribe(ctx context.Context, all []*subscriber) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.remove(ctx))
	}
	return errors.Join(errs...)
}

// removeHooks removes the hooks of this program for which f returns true.
func (s *subscriber) removeHooks(ctx context.Context, f func(kudu.Hook) bool) error {
	all, err := s.site.List(ctx)
	if err != nil {
		return fmt.Errorf("cannot list the hooks of -site: %w", err)
	}
	for _, h := range all {
		if !s.isOwn(h) || !f(h) {
			continue
		}
		if err := s.site.Unsubscribe(ctx, h.ID); err != nil {
			return fmt.Errorf("cannot unsubscribe at -site: %w", err)
		}
		s.log.Info("unsubscribed", "site", s.url, "hook", h)
	}
	return nil
}

// isOwn reports whether a hook leads to this program, ignoring its password and
// query.
func (s *subscriber) isOwn(h kudu.Hook) bool {
	return slices.ContainsFunc(s.hooks, func(own kudu.Hook) bool {
		return strings.EqualFold(endpoint(h.URL), endpoint(own.URL))
	})
}

// endpoint returns a URL without user information and query, or "" if text is not
// a URL.
func endpoint(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

package kudu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// Run looks and catches up until ctx ends, and then returns nil. The error is one of the
// CatchUp's settings, at once, or [webhook.ErrRunning] if Run is called twice.
func (c *CatchUp) Run(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("kudu: catch-up of %s: %w", c, err)
	}
	if err := c.loop.Run(ctx, c.settings()); err != nil {
		return fmt.Errorf("kudu: catch-up of %s: %w", c, err)
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
		Key:    c.cursor().Name,
		Logger: c.Logger,
		Target: []any{"target", c.String()},
		Kinds: []error{
			ErrRateLimited, ErrDenied, ErrJobNotFound, ErrHookNotFound, ErrHookConflict, ErrServer, ErrAnswer, ErrTooLarge, errCredentials,
		},
		Slow:   []error{ErrDenied, ErrJobNotFound, ErrHookNotFound, ErrHookConflict, ErrTooLarge},
		Beside: []error{errBeside},
		Until: func(err error) (time.Time, bool) {
			status, ok := errors.AsType[*StatusError](err)
			if !ok || status.RetryAfter == 0 {
				return time.Time{}, false
			}
			return time.Now().Add(status.RetryAfter), true
		},
	}
}

// begin resets what an earlier Run has left.
func (c *CatchUp) begin() {
	c.status.Change(func(s *CatchUpStatus) { *s = CatchUpStatus{} })
	c.began, c.failed = time.Now(), false
	c.etag, c.idle = "", 0
	c.open = make(map[mark]openCall)
}

func (c *CatchUp) validate() error {
	if err := c.target.validate(); err != nil {
		return err
	}
	if err := catchup.CheckEvery(c.Every); err != nil {
		return err
	}
	if _, err := catchup.MaxAge(c.inbox, c.MaxAge, usualMaxAge); err != nil {
		return err
	}
	if err := c.cursor().Check(); err != nil {
		return err
	}
	if c.Hook.URL != "" {
		if err := c.Hook.validate(); err != nil {
			return err
		}
	}
	if c.source.Name == "" {
		return errors.New("the source has no name")
	}
	_, err := c.delivery(occurrence{entry: json.RawMessage(sampleEntry)})
	return err
}

// sampleEntry is an entry of either list, whose dedup keys validate wants.
const sampleEntry = `{"id":"1","status":"failed","complete":true,"end_time":"2026-03-04T05:06:07Z","job_name":"j","site_name":"s"}`

// unsignedReason is the Unsigned of what a CatchUp puts.
const unsignedReason = "read from Kudu's API, and converted to the form of its calls, which are not signed either"

// delivery returns the delivery of an occurrence, with the dedup keys that its call may have.
func (c *CatchUp) delivery(o occurrence) (*webhook.Delivery, error) {
	bodies, err := c.target.bodies(o.entry, c.hosts())
	if err != nil {
		return nil, fmt.Errorf("%w: an entry cannot be encoded as a call", ErrAnswer)
	}
	var d *webhook.Delivery
	for _, body := range bodies {
		call, err := c.source.OpenUnsigned(c.newCall(), body, unsignedReason)
		if err != nil {
			return nil, err
		}
		if d == nil {
			d = call
			continue
		}
		for _, key := range call.DedupKeys {
			if !slices.Contains(d.DedupKeys, key) {
				d.DedupKeys = append(d.DedupKeys, key)
			}
		}
	}
	if len(d.DedupKeys) == 0 {
		return nil, fmt.Errorf("source %s: Describe gives a call no dedup key", c.source.Name)
	}
	return d, nil
}

// newCall returns the request of a call that was not received, whose URL names the site as
// that of the hook does.
func (c *CatchUp) newCall() *http.Request {
	r := catchup.NewCall(http.Header{"Content-Type": {"application/json; charset=utf-8"}})
	if c.Site != "" {
		r.URL.RawQuery = url.Values{"site": {c.Site}}.Encode()
		r.SetPathValue("site", c.Site)
	}
	return r
}

func (c *CatchUp) hosts() []string {
	if len(c.Hosts) == 0 {
		return []string{strings.ToLower(c.client.site.Host)}
	}
	return c.Hosts
}

// maxAge returns MaxAge, or its default.
func (c *CatchUp) maxAge() time.Duration {
	age, _ := catchup.MaxAge(c.inbox, c.MaxAge, usualMaxAge) // validated
	return age
}

const usualMaxAge = 14 * 24 * time.Hour

func (c *CatchUp) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

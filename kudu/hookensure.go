package kudu

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ensureTries is how often Ensure looks again when others change the same hook.
const ensureTries = 5

// Ensure sees to it that the hook exists with the URL, Event and InsecureSSL of
// h, and returns it. One that is so already is left alone; one that differs,
// if only by the case of its URL, is unsubscribed and made anew, since Kudu
// cannot change one. What happens between the two is not told to anybody.
//
// It may be repeated, and run by several programs at once. Where these ask for
// different things under one URL, one of them has its way and the others may
// get [ErrHookConflict].
func (c *Client) Ensure(ctx context.Context, h Hook) (Hook, error) {
	h.URL = strings.TrimSpace(h.URL) // as Kudu does (Kudu: WebHook.cs)
	if err := h.validate(); err != nil {
		return Hook{}, callError("ensure hook", err)
	}
	for range ensureTries {
		switch got, err := c.mend(ctx, h); {
		case err == nil && got.isAs(h):
			return got, nil
		case err != nil && !errors.Is(err, ErrHookConflict):
			return Hook{}, err
		}
	}
	return Hook{}, callError("ensure hook", fmt.Errorf("%w, or one that another program changes", ErrHookConflict))
}

// mend removes what differs and subscribes unless the hook is there. What it
// returns differs if another program was quicker.
func (c *Client) mend(ctx context.Context, h Hook) (Hook, error) {
	all, err := c.List(ctx)
	if err != nil {
		return Hook{}, err
	}
	for _, old := range all {
		if !strings.EqualFold(old.URL, h.URL) {
			continue
		}
		if old.isAs(h) {
			return old, nil
		}
		if err := c.Unsubscribe(ctx, old.ID); err != nil {
			return Hook{}, err
		}
	}
	return c.Subscribe(ctx, h)
}

// isAs reports whether the hook does what is asked for.
func (h Hook) isAs(asked Hook) bool {
	return h.URL == asked.URL && strings.EqualFold(h.Event, asked.Event) && h.InsecureSSL == asked.InsecureSSL
}

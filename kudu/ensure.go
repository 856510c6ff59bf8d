package kudu

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ensureTries is the number of times that Ensure tries while other programs
// change the same hook.
const ensureTries = 5

// Ensure makes the site have a hook with the URL, Event and InsecureSSL of h,
// and returns that hook. It keeps a hook that equals h. Kudu cannot change a
// hook, so Ensure removes one that differs, even if only by the case of its
// URL, and creates it again. Events between these two calls are lost.
//
// Ensure may be called repeatedly, and by several programs at once. If programs
// want different hooks for the same URL, one of them prevails and the others
// may get [ErrHookConflict].
func (c *Client) Ensure(ctx context.Context, h Hook) (Hook, error) {
	got, _, err := c.ensure(ctx, h)
	return got, err
}

// ensure is Ensure, and reports whether it has created the hook.
func (c *Client) ensure(ctx context.Context, h Hook) (got Hook, created bool, err error) {
	h.URL = strings.TrimSpace(h.URL) // Kudu trims it too (Kudu: WebHook.cs)
	if err := h.validate(); err != nil {
		return Hook{}, false, callError("ensure hook", err)
	}
	for range ensureTries {
		switch got, created, err := c.tryEnsure(ctx, h); {
		case err == nil && got.equals(h):
			return got, created, nil
		case err != nil && !errors.Is(err, ErrHookConflict):
			return Hook{}, false, err
		}
	}
	return Hook{}, false, callError("ensure hook", fmt.Errorf("%w, or another program keeps changing it", ErrHookConflict))
}

// tryEnsure removes the hook for h.URL if it differs, and subscribes unless it
// equals h. The returned hook differs if another program changes it meanwhile.
func (c *Client) tryEnsure(ctx context.Context, h Hook) (got Hook, created bool, err error) {
	all, err := c.List(ctx)
	if err != nil {
		return Hook{}, false, err
	}
	for _, old := range all {
		if !strings.EqualFold(old.URL, h.URL) {
			continue
		}
		if old.equals(h) {
			return old, false, nil
		}
		if err := c.Unsubscribe(ctx, old.ID); err != nil {
			return Hook{}, false, err
		}
	}
	got, err = c.Subscribe(ctx, h)
	return got, err == nil, err
}

// equals reports whether Kudu does the same for both hooks.
func (h Hook) equals(other Hook) bool {
	return h.URL == other.URL && strings.EqualFold(h.Event, other.Event) && h.InsecureSSL == other.InsecureSSL
}

package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// A lookResult is what a look has found.
type lookResult struct {
	unchanged bool
	missing   []missingCall   // oldest first
	more      bool            // there are newer missing ones
	beyond    time.Time       // when the oldest of those was sent
	unread    int             // entries that cannot be read
	now       time.Time       // the server's, of the first page
	newest    time.Time       // of the deliveries that the look has seen, not after now
	listed    map[string]bool // of what was missing before, what GitHub lists
	same      map[string]bool // of those that the inbox has under another GUID, likewise
	etag      string
}

// look pages through the deliveries since the position, newest first.
func (c *CatchUp) look(ctx context.Context, at *position) (lookResult, error) {
	found := lookResult{newest: at.upto, listed: make(map[string]bool), same: make(map[string]bool)}
	collected := newCollector(c.most)
	cursor, etag := "", c.etag
	visited := make(map[string]bool) // pages, by their cursors
	c.etag = ""                      // the next look needs one of a whole look
	for page := 0; ; page++ {
		got, err := c.client.deliveries(ctx, c.hook, cursor, etag)
		if err != nil {
			return lookResult{}, err
		}
		if got.moved && !c.moved {
			c.moved = true
			c.logger().Warn("catch-up is redirected: the repository has another name; use that", "hook", c.hook)
		}
		if got.unchanged {
			c.etag = cmp.Or(got.etag, etag)
			return lookResult{unchanged: true}, nil
		}
		if page == 0 {
			found.etag, found.now = got.etag, got.at
			if at.since.IsZero() {
				at.begin(c.Since, got.at.Add(-time.Since(c.began)))
			}
			if at.setBack(got.at) {
				c.logger().Warn("the clock of the server was set back: a catch-up looks at all that it lists", "hook", c.hook)
				found.newest = at.upto
			}
		}
		found.unread += got.unread
		ended, err := c.collect(ctx, got.deliveries, *at, collected, &found)
		if err != nil {
			return lookResult{}, err
		}
		if ended || got.next == "" {
			break
		}
		if visited[got.next] {
			return lookResult{}, fmt.Errorf("list deliveries: %w: the next page is one before", ErrAnswer)
		}
		visited[got.next] = true
		cursor, etag = got.next, ""
	}
	if found.unread > 0 {
		found.newest = at.upto // they may be missing, and when they were sent is unknown
	}
	c.same = found.same
	found.missing, found.more, found.beyond = collected.oldest()
	return found, nil
}

// collect adds the missing deliveries of a page. It reports true if the page goes back to
// what was looked at before.
func (c *CatchUp) collect(ctx context.Context, page []hookDelivery, at position, to *collector, found *lookResult) (ended bool, err error) {
	var keys []string
	var recent []hookDelivery
	for _, d := range page {
		if !d.DeliveredAt.After(at.from()) {
			ended = true
			continue
		}
		if sent := earlier(d.DeliveredAt, found.now); sent.After(found.newest) {
			found.newest = sent
		}
		if c.open[d.GUID] != nil {
			found.listed[d.GUID] = true
		}
		if c.same[d.GUID] {
			found.same[d.GUID] = true
			continue
		}
		key, err := c.dedupKey(d)
		if err != nil {
			return false, err
		}
		recent, keys = append(recent, d), append(keys, key)
	}
	known, err := c.known(ctx, keys)
	if err != nil {
		return false, err
	}
	for n, d := range recent {
		if !known[n] {
			to.add(d)
		}
	}
	return ended, nil
}

// known asks the inbox which dedup keys it knows.
func (c *CatchUp) known(ctx context.Context, keys []string) ([]bool, error) {
	return catchup.Known(ctx, c.inbox, c.source.Name, keys)
}

// dedupKey returns the dedup key that a call with the GUID has.
func (c *CatchUp) dedupKey(d hookDelivery) (string, error) {
	header := make(http.Header)
	header.Set(DeliveryHeader, d.GUID)
	header.Set(EventHeader, d.Event)
	return catchup.FirstKey(c.source, header, []byte("{}"))
}

package service

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxPage is how many deliveries a page has at most, by the documentation of the API.
const maxPage = 200

// All returns the deliveries that match f, newest first, a page at a time, as
// [webhook.Admin] does. It ends after the first error. Bodies is not regarded. The API has no
// After: All reads newest first and ends there.
func (c *Client) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	if f.UID != "" {
		return c.one(ctx, f)
	}
	return func(yield func(webhook.Record, error) bool) {
		query, before := queryOf(f), cmp.Or(f.Before, math.MaxInt64)
		for left := cmp.Or(f.Limit, math.MaxInt); left > 0; {
			p, err := c.page(ctx, query, before, min(left, maxPage))
			if err != nil {
				yield(webhook.Record{}, err)
				return
			}
			for _, r := range p.Deliveries {
				if r.Seq <= f.After || !yield(r.record(), nil) {
					return
				}
			}
			if p.Next <= f.After+1 {
				return
			}
			left -= len(p.Deliveries)
			before = p.Next
		}
	}
}

// one returns the delivery that a filter with a UID selects.
func (c *Client) one(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		r, err := c.Get(ctx, f.UID)
		d := r.Delivery
		switch {
		case errors.Is(err, webhook.ErrNotFound):
		case err != nil:
			yield(r, err)
		case f.Source != "" && f.Source != d.Source, f.Type != "" && f.Type != d.Type, f.OrderingKey != "" && f.OrderingKey != d.OrderingKey,
			f.ID != "" && f.ID != d.ID, len(f.States) > 0 && !slices.Contains(f.States, r.State),
			!f.From.IsZero() && d.ReceivedAt.Before(f.From), !f.To.IsZero() && !d.ReceivedAt.Before(f.To),
			!strings.Contains(strings.ToLower(r.Reason), strings.ToLower(f.Text)):
		default:
			yield(r, nil)
		}
	}
}

// queryOf returns the parameters of a list for a filter, without before and limit.
func queryOf(f webhook.Filter) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"source": f.Source, "type": f.Type, "key": f.OrderingKey, "id": f.ID, "text": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, s := range f.States {
		q.Add("state", string(s))
	}
	for name, t := range map[string]time.Time{"since": f.From, "until": f.To} {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	return q
}

// A page is the JSON of a page of the list.
type page struct {
	Deliveries []record `json:"deliveries"`
	Next       int64    `json:"next"` // zero if there is none
}

// page reads a page, whose deliveries have a lower Seq than before.
func (c *Client) page(ctx context.Context, query url.Values, before int64, limit int) (p page, err error) {
	query = cloned(query)
	query.Set("limit", strconv.Itoa(limit))
	if before < math.MaxInt64 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	text, err := c.bytesOf(ctx, http.MethodGet, "api/deliveries", query, nil)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%w: its list is not JSON of the documented form", ErrNotInspector)
	}
	if len(p.Deliveries) > limit {
		return p, fmt.Errorf("%w: a page has %d deliveries, and %d were asked for", ErrNotInspector, len(p.Deliveries), limit)
	}
	// Otherwise a list could go on without end.
	if p.Next < 0 || p.Next >= before {
		return p, fmt.Errorf("%w: the page after seq %d is said to begin at %d", ErrNotInspector, before, p.Next)
	}
	for _, r := range p.Deliveries {
		if err := r.check(); err != nil {
			return p, err
		}
		if r.Seq >= before {
			return p, fmt.Errorf("%w: its list is not newest first", ErrNotInspector)
		}
		before = r.Seq
	}
	return p, nil
}

func cloned(q url.Values) url.Values {
	out := make(url.Values, len(q)+2)
	for name, values := range q {
		out[name] = slices.Clone(values)
	}
	return out
}

package publish

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// Stored returns a copy of e as a [Store] keeps it: its times to the microsecond, and its
// Reason cut to 4 KiB of text. It shares no memory with e. Those who write a Store need it.
func (e *Endpoint) Stored() *Endpoint {
	c := e.Clone()
	c.Reason = cleanText(c.Reason, limit.Reason)
	for _, at := range []*time.Time{&c.Since, &c.Created, &c.FailingSince} {
		*at = stored(*at)
	}
	for i := range c.Secrets {
		c.Secrets[i].Until = stored(c.Secrets[i].Until)
	}
	return c
}

// Stored returns a as a [Store] keeps it: its times to the microsecond, its Reason cut to
// 4 KiB of text, and its Response to 1 KiB. Those who write a Store need it.
func (a Attempt) Stored() Attempt {
	a.Reason, a.Response = cleanText(a.Reason, limit.Reason), cleanText(a.Response, maxResponse)
	a.At, a.Next, a.Took = stored(a.At), stored(a.Next), a.Took.Truncate(time.Microsecond)
	return a
}

func stored(at time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(at.UnixMicro())
}

// ValidateChange returns an error if e cannot take the place of the endpoint that it was
// before: that of [Endpoint.Validate], or one that wraps [ErrEndpoint] too if the ID, the
// Owner or Created is another one. Those who write a Store need it.
func (e *Endpoint) ValidateChange(before *Endpoint) error {
	for _, f := range []struct{ name, is, was string }{{"ID", e.ID, before.ID}, {"Owner", e.Owner, before.Owner}} {
		if f.is != f.was {
			return fmt.Errorf("%w %s: %s %s: it was %s and never changes", ErrEndpoint, quote(before.ID), f.name, quote(f.is), quote(f.was))
		}
	}
	if !stored(e.Created).Equal(before.Created) {
		return fmt.Errorf("%w %s: Created %v: it was %v and never changes", ErrEndpoint, quote(e.ID), e.Created, before.Created)
	}
	return e.Validate()
}

// FoldName returns the form in which the names of endpoints are compared: in lower case.
// Those who write a Store need it.
func FoldName(name string) string { return strings.ToLower(name) }

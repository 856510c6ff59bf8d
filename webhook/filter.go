package webhook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Filter selects the deliveries that match all of its fields that are set. The
// zero Filter selects all. See [Filter.Validate] for the values that are errors.
type Filter struct {
	UID         string
	Source      string
	Type        string
	OrderingKey string
	ID          string    // the sender's
	States      []State   // one of these
	Text        string    // part of the reason, without regard to ASCII case
	From        time.Time // received then or later
	To          time.Time // received before
	Before      int64     // with a lower Seq than this; for the next page, that of the last Record
	// After selects those with a higher Seq than this; zero means all. All looks at no other
	// deliveries, so the cost of a list with After and Before is bounded by the distance
	// between them, however few deliveries match.
	After int64
	Limit int // the largest number to return; zero means no limit
	// Bodies loads Header, DedupKeys, Body, NotBefore, Malformed and Unsigned, which are
	// zero otherwise.
	Bodies bool
	// Unsigned loads Unsigned alone, at the cost of one look-up for each Record.
	Unsigned bool
}

// states are all states of a delivery.
var states = []State{Waiting, Blocked, Claimed, Done, Dead, Superseded, Ignored}

// Validate returns an error if States has one that does not exist, or if Before, After or
// Limit is negative. Such a Filter is a mistake that would select nothing, or everything. Each
// method of an [Admin] that takes a Filter returns this error.
func (f Filter) Validate() error {
	for _, s := range f.States {
		if !slices.Contains(states, s) {
			return fmt.Errorf("webhook: Filter.States has %.64q, which is not a state; the states are %s", s, stateNames())
		}
	}
	switch {
	case f.Before < 0:
		return fmt.Errorf("webhook: Filter.Before is %d, which is negative", f.Before)
	case f.After < 0:
		return fmt.Errorf("webhook: Filter.After is %d, which is negative", f.After)
	case f.Limit < 0:
		return fmt.Errorf("webhook: Filter.Limit is %d, which is negative; zero means no limit", f.Limit)
	}
	return nil
}

func stateNames() string {
	var names []string
	for _, s := range states {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// matches reports whether rec meets all that f demands, but for Limit.
func (f Filter) matches(rec *memRecord) bool {
	d := rec.d
	for _, field := range []struct{ want, is string }{
		{f.UID, d.UID}, {f.Source, d.Source}, {f.Type, d.Type}, {f.OrderingKey, d.OrderingKey}, {f.ID, d.ID},
	} {
		if field.want != "" && field.want != field.is {
			return false
		}
	}
	switch {
	case len(f.States) > 0 && !slices.Contains(f.States, rec.last.state),
		!f.From.IsZero() && d.ReceivedAt.Before(f.From),
		!f.To.IsZero() && !d.ReceivedAt.Before(f.To),
		f.Before > 0 && rec.seq >= f.Before,
		rec.seq <= f.After:
		return false
	}
	return f.Text == "" || strings.Contains(lowerASCII(rec.reason), lowerASCII(f.Text))
}

// matchesAll reports whether f demands nothing of a delivery.
func (f Filter) matchesAll() bool {
	return f.UID == "" && f.Source == "" && f.Type == "" && f.OrderingKey == "" && f.ID == "" && len(f.States) == 0 &&
		f.Text == "" && f.From.IsZero() && f.To.IsZero() && f.Before <= 0 && f.After <= 0
}

// lowerASCII returns s with the letters A to Z in lower case.
func lowerASCII(s string) string {
	text := []byte(s)
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
	return string(text)
}

package inspect

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxQuery bounds the query of a URL, and maxText a value in it.
	maxQuery = 4 << 10
	maxText  = 512
	// defaultPage and maxPage are how many deliveries a page of a list has.
	defaultPage = 50
	maxPage     = 200
)

// parameters reads the query of a URL, which has no other parameters than the given ones.
// A value is UTF-8 without a NUL, since a database refuses others.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, requestError{http.StatusRequestURITooLong, fmt.Sprintf("the query has %d bytes; the limit is %d", len(r.URL.RawQuery), maxQuery)}
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query cannot be read: %v", err)
	}
	return q, checkValues(q, known)
}

// severalTimes are the parameters that may be there several times.
var severalTimes = []string{"state", "seqs"}

// checkValues returns an error if there are other parameters than the known ones, or if a
// value is no text.
func checkValues(q url.Values, known []string) error {
	for name, values := range q {
		if !slices.Contains(known, name) {
			return badRequest("there is no parameter %.64q; there are %s", name, strings.Join(known, ", "))
		}
		for _, v := range values {
			if err := checkText(name, v); err != nil {
				return err
			}
		}
		if len(values) > 1 && !slices.Contains(severalTimes, name) {
			return badRequest("the parameter %s is there %d times", name, len(values))
		}
	}
	return nil
}

// postForm reads the form of a POST, which has no query. maxBytes bounds it. The caller
// checks the values.
func postForm(w http.ResponseWriter, c call, maxBytes int64) (url.Values, error) {
	if _, err := parameters(c.Request); err != nil {
		return nil, err
	}
	c.Body = http.MaxBytesReader(w, c.Body, maxBytes)
	if err := c.ParseForm(); err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return nil, err
		}
		return nil, badRequest("the form cannot be read: %v", err)
	}
	return c.PostForm, nil
}

func checkText(name, value string) error {
	switch {
	case len(value) > maxText:
		return badRequest("%s has %d bytes; the limit is %d", name, len(value), maxText)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return badRequest("%s is no text: it has a NUL, or is not UTF-8", name)
	}
	return nil
}

// filterNames are the parameters of a list.
var filterNames = []string{"source", "type", "key", "id", "state", "text", "since", "until", "before", "limit"}

// parseFilter reads the filter of a list from its URL.
func parseFilter(r *http.Request, now time.Time) (webhook.Filter, error) {
	q, err := parameters(r, filterNames...)
	if err != nil {
		return webhook.Filter{}, err
	}
	return filterOf(q, now)
}

// filterOf returns the filter of a list by its parameters.
func filterOf(q url.Values, now time.Time) (f webhook.Filter, err error) {
	f = webhook.Filter{
		Source: q.Get("source"), Type: q.Get("type"), OrderingKey: q.Get("key"), ID: q.Get("id"), Text: q.Get("text"), Limit: defaultPage,
	}
	for _, list := range q["state"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(f.States, webhook.State(name)) {
				f.States = append(f.States, webhook.State(name))
			}
			if err := f.Validate(); err != nil {
				return f, badRequest("state %.64q does not exist; the states are %s", name, "waiting, blocked, claimed, done, dead, superseded, ignored")
			}
		}
	}
	for name, to := range map[string]*time.Time{"since": &f.From, "until": &f.To} {
		if *to, err = parseTime(q.Get(name), now); err != nil {
			return f, badRequest("%s: %v", name, err)
		}
	}
	if text := q.Get("before"); text != "" {
		if f.Before, err = strconv.ParseInt(text, 10, 64); err != nil || f.Before < 1 {
			return f, badRequest("before is %.64q, which is not the seq of a delivery", text)
		}
	}
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > maxPage {
			return f, badRequest("limit is %.64q; it must be from 1 to %d", text, maxPage)
		}
	}
	return f, nil
}

// timeLayouts are how a time is written, in UTC unless it says otherwise.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// parseTime reads a time, or a duration such as 90s, 2h or 3d, which is that long ago. The
// result is zero if the text is empty. Years are from 1970 to 9999: a database has no
// others.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1970 {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 14); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%.64q is not a time such as 2006-01-02T15:04, or how long ago, such as 90s, 2h or 3d", text)
}

// isNarrow reports whether the filter demands something that most deliveries may lack.
func isNarrow(f webhook.Filter) bool {
	return f.Source != "" || f.Type != "" || f.OrderingKey != "" || f.ID != "" || len(f.States) > 0 || f.Text != "" || !f.From.IsZero() || !f.To.IsZero()
}

// matches reports whether a delivery matches the filter, as an inbox decides it.
func matches(f webhook.Filter, r webhook.Record) bool {
	d := r.Delivery
	return (f.Source == "" || f.Source == d.Source) && (f.Type == "" || f.Type == d.Type) &&
		(f.OrderingKey == "" || f.OrderingKey == d.OrderingKey) && (f.ID == "" || f.ID == d.ID) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(f.From.IsZero() || !d.ReceivedAt.Before(f.From)) && (f.To.IsZero() || d.ReceivedAt.Before(f.To)) &&
		hasText(r, f.Text)
}

// hasText reports whether the reason of a delivery has a text, as it is shown: what is redacted
// could otherwise be guessed letter by letter.
func hasText(r webhook.Record, text string) bool {
	text = lowerASCII(text)
	return text == "" || strings.Contains(lowerASCII(r.Reason), text) && strings.Contains(lowerASCII(shownReason(r.Reason)), text)
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// The kinds of notices.
const (
	failure  = "failure"
	recovery = "recovery" // a success after a failure
	success  = "success"  // any other success
	trial    = "test"     // sent by -test
)

// A notice is the content of a notification. It is posted as JSON to NOTIFY_URL.
type notice struct {
	What    string    `json:"what"`    // failure, recovery, success or test
	Event   string    `json:"event"`   // deployment or job
	Subject string    `json:"subject"` // host of the site or slot; for a job, host and name
	ID      string    `json:"id"`
	Status  string    `json:"status"`            // as Kudu spells it
	Author  string    `json:"author,omitempty"`  // author of the commit; for a job, its trigger
	Message string    `json:"message,omitempty"` // message of the commit
	Took    string    `json:"took,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	URL     string    `json:"url,omitempty"`     // page with details
	Channel string    `json:"channel,omitempty"` // Slack channel, if not the default one
	Late    bool      `json:"late,omitempty"`    // a newer notice of the subject was sent before
}

// title returns a summary in one line.
func (n notice) title() string {
	verb := map[string]string{failure: "failed", recovery: "works again", success: "succeeded"}[n.What]
	late := ""
	if n.Late {
		late = "(sent late)"
	}
	return oneLine(fmt.Sprintf("%s: %s %s %s", n.Subject, n.Event, verb, late))
}

// oneLine returns untrusted text in one line, without what could change the order or the
// look of the text around it.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// A fact is a line of a notice: a name and a value.
type fact struct{ name, value string }

// facts returns the facts with a value.
func (n notice) facts() []fact {
	ended := ""
	if !n.Ended.IsZero() {
		ended = n.Ended.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	all := []fact{{"Status", n.Status}, {"By", n.Author}, {"Ended", ended}, {"Took", n.Took}, {"Id", n.ID}}
	known := all[:0]
	for _, f := range all {
		if f.value = oneLine(f.value); f.value != "" {
			known = append(known, f)
		}
	}
	return known
}

// channelHeader holds the channel in a hook's URL, because a delivery has the
// headers of the request but not its URL.
const channelHeader = "Hook-Slack-Channel"

// withChannel copies the query parameter channel into channelHeader.
func withChannel(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(channelHeader)
		if channel := r.URL.Query().Get("channel"); channel != "" {
			r.Header.Set(channelHeader, channel)
		}
		next.ServeHTTP(w, r)
	})
}

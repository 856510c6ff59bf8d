package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What a notice tells.
const (
	failure  = "failure"
	recovery = "recovery" // a success after a failure
	success  = "success"  // any other
)

// A notice is what targets are told, and what the plain URL gets as JSON.
type notice struct {
	What    string    `json:"what"`    // failure, recovery or success
	Event   string    `json:"event"`   // deployment or job
	Subject string    `json:"subject"` // the site's or slot's host; for a job host and name
	ID      string    `json:"id"`
	Status  string    `json:"status"`            // as Kudu spells it
	Author  string    `json:"author,omitempty"`  // of the commit; for a job what triggered it
	Message string    `json:"message,omitempty"` // of the commit
	Took    string    `json:"took,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	URL     string    `json:"url,omitempty"`     // to look at
	Channel string    `json:"channel,omitempty"` // for Slack, where it is not its default
	Late    bool      `json:"late,omitempty"`    // a newer one of the subject was told before
}

// title is one line for people.
func (n notice) title() string {
	did := map[string]string{failure: "failed", recovery: "works again", success: "succeeded"}[n.What]
	late := ""
	if n.Late {
		late = "(told late)"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s: %s %s %s", n.Subject, n.Event, did, late)), " ")
}

// A fact is a line of a notice: a name and a value.
type fact struct{ name, value string }

// facts are those that are known.
func (n notice) facts() []fact {
	ended := ""
	if !n.Ended.IsZero() {
		ended = n.Ended.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	all := []fact{{"Status", n.Status}, {"By", n.Author}, {"Ended", ended}, {"Took", n.Took}, {"Id", n.ID}}
	known := all[:0]
	for _, f := range all {
		if f.value != "" {
			known = append(known, f)
		}
	}
	return known
}

// channelHeader carries the channel that a hook's URL names, since a delivery
// keeps the headers of the call and not its URL.
const channelHeader = "Hook-Slack-Channel"

// withChannel reads the query parameter channel.
func withChannel(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(channelHeader)
		if channel := r.URL.Query().Get("channel"); channel != "" {
			r.Header.Set(channelHeader, channel)
		}
		next.ServeHTTP(w, r)
	})
}

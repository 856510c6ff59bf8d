package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

// A record is the JSON of a delivery. The names of its fields do not change. Times are
// in UTC.
type record struct {
	UID        string    `json:"uid"`
	Seq        int64     `json:"seq"`
	Source     string    `json:"source"`
	ID         string    `json:"id,omitempty"`
	Type       string    `json:"type"`
	Key        string    `json:"key,omitempty"`
	State      string    `json:"state"`
	Attempt    int       `json:"attempt"`
	ReceivedAt time.Time `json:"received_at"`
	DueAt      time.Time `json:"due_at,omitzero"`      // if waiting or blocked
	LeaseUntil time.Time `json:"lease_until,omitzero"` // if claimed
	EndedAt    time.Time `json:"ended_at,omitzero"`
	Reason     string    `json:"reason,omitempty"`
	Replayed   bool      `json:"replayed,omitempty"`
	Revived    int       `json:"revived,omitempty"`
	Size       int64     `json:"size"`
	KeyLabel   string    `json:"key_label,omitempty"`

	// Of show only.
	NotBefore time.Time   `json:"not_before,omitzero"`
	Malformed string      `json:"malformed,omitempty"`
	Unsigned  string      `json:"unsigned,omitempty"`
	Damage    string      `json:"damage,omitempty"`
	Header    http.Header `json:"header,omitempty"`
	DedupKeys []string    `json:"dedup_keys,omitempty"`
	Replays   []replay    `json:"replays,omitempty"`
	Attempts  []attempt   `json:"attempts,omitempty"`

	// Of show -body only: one of the two.
	Body       *string `json:"body,omitempty"`
	BodyBase64 []byte  `json:"body_base64,omitempty"`
}

// A replay is the JSON of a replay.
type replay struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why,omitempty"`
	Was string    `json:"was"`
}

// An attempt is the JSON of a run that failed or was lost.
type attempt struct {
	UID    string    `json:"uid"`
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	TookMS float64   `json:"took_ms"`
	State  string    `json:"state"`
	Lost   bool      `json:"lost,omitempty"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
}

// recordOf returns what list prints of a delivery.
func recordOf(r webhook.Record) record {
	d := r.Delivery
	out := record{
		UID: d.UID, Seq: r.Seq, Source: d.Source, ID: d.ID, Type: d.Type, Key: d.OrderingKey, State: string(r.State),
		Attempt: r.Attempt, ReceivedAt: d.ReceivedAt.UTC(), Reason: r.Reason, Replayed: r.Replayed, Revived: r.Revived,
		Size: r.Size, KeyLabel: d.KeyLabel,
	}
	switch {
	case r.State == webhook.Claimed:
		out.LeaseUntil = r.Expires.UTC()
	case !r.State.Final():
		out.DueAt = r.Due.UTC()
	case !r.Ended.IsZero():
		out.EndedAt = r.Ended.UTC()
	}
	return out
}

// fullRecordOf returns what show prints of a delivery.
func fullRecordOf(r webhook.Record, body bool) record {
	out := recordOf(r)
	d := r.Delivery
	if !d.NotBefore.IsZero() {
		out.NotBefore = d.NotBefore.UTC()
	}
	out.Malformed, out.Unsigned, out.Header, out.DedupKeys = d.Malformed, d.Unsigned, shownHeader(d.Header), shownKeys(d.DedupKeys)
	if r.Err != nil {
		out.Damage = r.Err.Error()
	}
	for _, p := range r.Replays {
		out.Replays = append(out.Replays, replay{p.At.UTC(), p.By, p.Why, string(p.Was)})
	}
	for _, a := range r.Attempts {
		out.Attempts = append(out.Attempts, attemptOf(d.UID, a))
	}
	switch text := string(d.Body); {
	case !body:
	case utf8.ValidString(text):
		out.Body = &text
	default:
		out.BodyBase64 = d.Body
	}
	return out
}

func attemptOf(uid string, a webhook.Attempt) attempt {
	return attempt{
		UID: uid, Number: a.Number, At: a.At.UTC(), TookMS: float64(a.Took.Microseconds()) / 1000, State: string(a.State),
		Lost: a.Lost, Reason: a.Reason, By: a.By,
	}
}

// proving matches the names of headers with which somebody else could make the same
// call. The inbox has no credentials, but it has signatures.
var proving = regexp.MustCompile(`(?i)sig(nature)?\b|signature|token|secret|authorization|cookie|password`)

// shownHeader returns a header without the values that prove a call.
func shownHeader(h http.Header) http.Header {
	shown := make(http.Header, len(h))
	for name, values := range h {
		if proving.MatchString(name) {
			values = []string{"REDACTED"}
		}
		shown[name] = values
	}
	return shown
}

// shownKeys returns dedup keys without the end of those that are signatures.
func shownKeys(keys []string) []string {
	shown := slices.Clone(keys)
	for i, k := range shown {
		if scope, mac, ok := strings.Cut(k, "mac:"); ok {
			shown[i] = scope + "mac:" + short(mac, 9)
		}
	}
	return shown
}

package inspect

import (
	"net/http"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A record is the JSON of a delivery. The names of its fields do not change, and are those
// of the program hookhouse. Times are in UTC.
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
	Unsigned   string    `json:"unsigned,omitempty"` // in a list if the store knows Filter.Unsigned
}

// A fullRecord is the JSON of a delivery by itself.
type fullRecord struct {
	record
	NotBefore time.Time   `json:"not_before,omitzero"`
	Malformed string      `json:"malformed,omitempty"`
	Damage    string      `json:"damage,omitempty"`
	TraceID   string      `json:"trace_id,omitempty"`
	Header    http.Header `json:"header,omitempty"`
	DedupKeys []string    `json:"dedup_keys,omitempty"`
	Replays   []replay    `json:"replays,omitempty"`
	Attempts  []attempt   `json:"attempts,omitempty"`
}

// A replay is the JSON of a replay.
type replay struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why,omitempty"`
	Was string    `json:"was"`
}

// An attempt is the JSON of an attempt that failed or was lost.
type attempt struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	TookMS float64   `json:"took_ms"`
	State  string    `json:"state"`
	Lost   bool      `json:"lost,omitempty"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
}

func recordOf(r webhook.Record) record {
	d := r.Delivery
	out := record{
		UID: d.UID, Seq: r.Seq, Source: d.Source, ID: d.ID, Type: d.Type, Key: d.OrderingKey, State: string(r.State),
		Attempt: r.Attempt, ReceivedAt: d.ReceivedAt.UTC(), Reason: shownReason(r.Reason), Replayed: r.Replayed,
		Revived: r.Revived, Size: r.Size, KeyLabel: d.KeyLabel, Unsigned: shownReason(d.Unsigned),
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

func recordsOf(list []webhook.Record) []record {
	out := make([]record, 0, len(list)) // not null in JSON
	for _, r := range list {
		out = append(out, recordOf(r))
	}
	return out
}

func (in *Inspector) fullRecordOf(r webhook.Record) fullRecord {
	d := r.Delivery
	out := fullRecord{
		record: recordOf(r), Malformed: shownReason(d.Malformed),
		Header: in.shown(d.Header), DedupKeys: shownKeys(d.DedupKeys), TraceID: traceID(d.Header), Attempts: attemptsOf(r),
	}
	if !d.NotBefore.IsZero() {
		out.NotBefore = d.NotBefore.UTC()
	}
	if r.Err != nil {
		out.Damage = "the stored delivery cannot be read in full: " + r.Err.Error()
	}
	for _, p := range r.Replays {
		out.Replays = append(out.Replays, replay{p.At.UTC(), p.By, shownReason(p.Why), string(p.Was)})
	}
	return out
}

func attemptsOf(r webhook.Record) (list []attempt) {
	for _, a := range r.Attempts {
		list = append(list, attempt{
			Number: a.Number, At: a.At.UTC(), TookMS: float64(a.Took.Microseconds()) / 1000, State: string(a.State),
			Lost: a.Lost, Reason: shownReason(a.Reason), By: a.By,
		})
	}
	return list
}

// traceID returns the trace of a Traceparent header: 32 hexadecimal digits, or empty. See
// https://www.w3.org/TR/trace-context/#traceparent-header.
func traceID(h http.Header) string {
	parts := strings.Split(h.Get("Traceparent"), "-")
	if len(parts) < 4 || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return ""
	}
	return parts[1]
}

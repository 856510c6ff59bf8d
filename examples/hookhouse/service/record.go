package service

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxUID bounds a UID, since callers remember those that they have seen.
const maxUID = 4 << 10

// A record is the JSON of a delivery, with what only a delivery by itself has.
type record struct {
	UID        string    `json:"uid"`
	Seq        int64     `json:"seq"`
	Source     string    `json:"source"`
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Key        string    `json:"key"`
	State      string    `json:"state"`
	Attempt    int       `json:"attempt"`
	ReceivedAt time.Time `json:"received_at"`
	DueAt      time.Time `json:"due_at"`
	LeaseUntil time.Time `json:"lease_until"`
	EndedAt    time.Time `json:"ended_at"`
	Reason     string    `json:"reason"`
	Replayed   bool      `json:"replayed"`
	Revived    int       `json:"revived"`
	Size       int64     `json:"size"`
	KeyLabel   string    `json:"key_label"`

	NotBefore time.Time   `json:"not_before"`
	Malformed string      `json:"malformed"`
	Unsigned  string      `json:"unsigned"`
	Damage    string      `json:"damage"`
	Header    http.Header `json:"header"`
	DedupKeys []string    `json:"dedup_keys"`
	Replays   []struct {
		At  time.Time `json:"at"`
		By  string    `json:"by"`
		Why string    `json:"why"`
		Was string    `json:"was"`
	} `json:"replays"`
	Attempts []struct {
		Number int       `json:"number"`
		At     time.Time `json:"at"`
		TookMS float64   `json:"took_ms"`
		State  string    `json:"state"`
		Lost   bool      `json:"lost"`
		Reason string    `json:"reason"`
		By     string    `json:"by"`
	} `json:"attempts"`
}

// check refuses what no inspector answers.
func (r record) check() error {
	switch {
	case r.UID == "":
		return fmt.Errorf("%w: a delivery has no uid", ErrNotInspector)
	case len(r.UID) > maxUID:
		return fmt.Errorf("%w: a delivery has a uid of %d bytes", ErrNotInspector, len(r.UID))
	case r.Seq < 1:
		return fmt.Errorf("%w: the delivery %s has the seq %d", ErrNotInspector, quoted(r.UID), r.Seq)
	case r.Size < 0:
		return fmt.Errorf("%w: the delivery %s has the size %d", ErrNotInspector, quoted(r.UID), r.Size)
	}
	return nil
}

// record returns the delivery as an inbox has it, but for its body, its fence and the dedup
// keys and headers that the service does not show.
func (r record) record() webhook.Record {
	out := webhook.Record{
		Delivery: &webhook.Delivery{
			UID: r.UID, Source: r.Source, ID: r.ID, Type: r.Type, OrderingKey: r.Key, DedupKeys: r.DedupKeys, NotBefore: r.NotBefore,
			Header: r.Header, KeyLabel: r.KeyLabel, ReceivedAt: r.ReceivedAt, Malformed: r.Malformed, Unsigned: r.Unsigned,
		},
		Seq: r.Seq, State: webhook.State(r.State), Attempt: r.Attempt, Due: r.DueAt, Expires: r.LeaseUntil, Ended: r.EndedAt,
		Reason: r.Reason, Revived: r.Revived, Replayed: r.Replayed, Size: r.Size,
	}
	if r.Damage != "" {
		out.Err = errors.New(r.Damage)
	}
	for _, p := range r.Replays {
		out.Replays = append(out.Replays, webhook.Replay{Note: webhook.Note{By: p.By, Why: p.Why}, At: p.At, Was: webhook.State(p.Was)})
	}
	for _, a := range r.Attempts {
		out.Attempts = append(out.Attempts, webhook.Attempt{
			Number: a.Number, At: a.At, Took: time.Duration(a.TookMS * float64(time.Millisecond)), State: webhook.State(a.State),
			Lost: a.Lost, Reason: a.Reason, By: a.By,
		})
	}
	return out
}

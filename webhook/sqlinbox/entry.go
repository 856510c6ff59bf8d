package sqlinbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody is the largest body in bytes that a column takes with ease.
const maxBody = 256 << 20

// An entry is a delivery made ready to be stored. It is made in the request's
// goroutine, so that the writer only copies.
type entry struct {
	delivery  *webhook.Delivery
	envelope  []byte
	dedupKeys []string // without repetitions
	hashes    []byte   // of the dedup keys, one after the other
	row       []byte   // the columns as a JSON object; nil on SQLite
	args      args     // of statements that take one delivery; nil on PostgreSQL
	notBefore int64    // zero: due at once, or when its burst is
	burst     int64    // when its burst began if earlier than now; zero: now
}

// columns are those of a delivery as statements that take a batch read them.
type columns struct {
	UID      string   `json:"uid"`
	Source   string   `json:"source"`
	SenderID string   `json:"sender_id"`
	Type     string   `json:"type"`
	Key      string   `json:"ordering_key"`
	Label    string   `json:"key_label"`
	Received int64    `json:"received_at"`
	Quiet    int64    `json:"coalesce_quiet_us"`
	MaxWait  int64    `json:"coalesce_max_us"`
	Before   int64    `json:"not_before"`
	Size     int      `json:"size"`
	Envelope int      `json:"envelope"`
	Hashes   []string `json:"dedup_keys"` // in hex
}

// newEntry refuses what cannot be stored.
func newEntry(d *webhook.Delivery) (*entry, error) {
	if err := check(d); err != nil {
		return nil, webhook.Permanent(err) // it does not become storable
	}
	e := &entry{delivery: d, dedupKeys: make([]string, 0, len(d.DedupKeys)), hashes: make([]byte, 0, hashSize*len(d.DedupKeys))}
	e.notBefore, _ = limit.NotBefore(d.NotBefore) // as checked
	e.envelope = sealEnvelope(d, e.notBefore)
	for _, k := range d.DedupKeys {
		if !slices.Contains(e.dedupKeys, k) {
			e.dedupKeys = append(e.dedupKeys, k)
			e.hashes = appendHash(e.hashes, d.Source, k)
		}
	}
	return e, nil
}

func (e *entry) columns() columns {
	d := e.delivery
	return columns{
		UID: d.UID, Source: d.Source, SenderID: d.ID, Type: d.Type, Key: d.OrderingKey, Label: d.KeyLabel,
		Received: d.ReceivedAt.UnixMicro(), Quiet: microseconds(d.Coalesce.Quiet), MaxWait: microseconds(d.Coalesce.Max), Before: e.notBefore,
		Size: len(d.Body), Envelope: len(e.envelope), Hashes: hexHashes(e.hashes),
	}
}

// arguments are those of statements that take one delivery, but for what is
// known only when it is stored.
func (e *entry) arguments() args {
	d := e.delivery
	a := args{
		"uid": d.UID, "source": d.Source, "sender_id": d.ID, "type": d.Type, "key": d.OrderingKey, "label": d.KeyLabel,
		"received": d.ReceivedAt.UnixMicro(), "quiet": microseconds(d.Coalesce.Quiet), "most": microseconds(d.Coalesce.Max), "not_before": e.notBefore,
		"size": len(d.Body), "envelope": string(e.envelope), "body": d.Body, "hashes": e.hashes,
	}
	if d.Body == nil {
		a["body"] = []byte{}
	}
	return a
}

func check(d *webhook.Delivery) error {
	texts := limit.Texts{
		UID: d.UID, Source: d.Source, ID: d.ID, Type: d.Type, OrderingKey: d.OrderingKey, KeyLabel: d.KeyLabel,
		Malformed: d.Malformed, Unsigned: d.Unsigned, DedupKeys: d.DedupKeys,
	}
	if err := texts.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := limit.NotBefore(d.NotBefore); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(d.Body) > maxBody {
		return fmt.Errorf("%w: %w: %d bytes", ErrInvalid, webhook.ErrTooLarge, len(d.Body))
	}
	return nil
}

// size is what the entry adds to a batch, in bytes.
func (e *entry) size() int {
	if e == nil {
		return 0
	}
	return len(e.envelope) + len(e.delivery.Body)
}

func (e *entry) coalesces() bool {
	return e.delivery.OrderingKey != "" && e.delivery.Coalesce.Quiet > 0
}

// An orderKey is one (Source, OrderingKey).
type orderKey struct{ source, key string }

// A burstKey is what the deliveries of a burst have in common.
type burstKey struct {
	orderKey
	typ string
}

func (e *entry) orderKey() orderKey { return orderKey{e.delivery.Source, e.delivery.OrderingKey} }

func (e *entry) burstKey() burstKey { return burstKey{e.orderKey(), e.delivery.Type} }

// microseconds rounds up, so that what is more than zero stays so.
func microseconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/time.Microsecond) + 1
}

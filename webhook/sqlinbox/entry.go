package sqlinbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxName is the longest name in bytes; package webhook clamps to the same.
	maxName = 255
	// maxBody is the largest body in bytes that a column takes with ease.
	maxBody = 256 << 20
	// maxReason is how much of a reason is kept, in bytes.
	maxReason = 4 << 10
)

// An entry is a delivery made ready to be stored. It is made in the request's
// goroutine, so that the writer only copies.
type entry struct {
	delivery  *webhook.Delivery
	envelope  []byte
	dedupKeys []string // without repetitions
	row       []byte   // columns as a JSON object, where statements take a batch
	args      args     // where they take one delivery
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
	Most     int64    `json:"coalesce_max_us"`
	Size     int      `json:"size"`
	Envelope int      `json:"envelope"`
	Marks    []string `json:"dedup_keys"`
}

// newEntry refuses what cannot be stored.
func newEntry(d *webhook.Delivery) (*entry, error) {
	if err := check(d); err != nil {
		return nil, webhook.Permanent(err) // it does not become storable
	}
	sealed, err := sealEnvelope(d.Header, d.DedupKeys)
	if err != nil {
		return nil, webhook.Permanent(fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	e := &entry{delivery: d, envelope: sealed, dedupKeys: make([]string, 0, len(d.DedupKeys))}
	for _, k := range d.DedupKeys {
		if !slices.Contains(e.dedupKeys, k) {
			e.dedupKeys = append(e.dedupKeys, k)
		}
	}
	return e, nil
}

func (e *entry) columns() columns {
	d := e.delivery
	return columns{
		UID: d.UID, Source: d.Source, SenderID: d.ID, Type: d.Type, Key: d.OrderingKey, Label: d.KeyLabel,
		Received: d.ReceivedAt.UnixMicro(), Quiet: microseconds(d.Coalesce.Quiet), Most: microseconds(d.Coalesce.Max),
		Size: len(d.Body), Envelope: len(e.envelope), Marks: e.dedupKeys,
	}
}

// arguments are those of statements that take one delivery, but for what is
// known only when it is stored.
func (e *entry) arguments() args {
	d := e.delivery
	marks, _ := json.Marshal(e.dedupKeys) // strings only: cannot fail
	a := args{
		"uid": d.UID, "source": d.Source, "sender_id": d.ID, "type": d.Type, "key": d.OrderingKey, "label": d.KeyLabel,
		"received": d.ReceivedAt.UnixMicro(), "quiet": microseconds(d.Coalesce.Quiet), "most": microseconds(d.Coalesce.Max),
		"size": len(d.Body), "envelope": string(e.envelope), "body": d.Body, "marks": string(marks),
	}
	if d.Body == nil {
		a["body"] = []byte{}
	}
	return a
}

func check(d *webhook.Delivery) error {
	if d.UID == "" {
		return fmt.Errorf("%w: it has no UID", ErrInvalid)
	}
	names := [...]struct{ what, text string }{
		{"UID", d.UID}, {"Source", d.Source}, {"ID", d.ID}, {"Type", d.Type}, {"OrderingKey", d.OrderingKey}, {"KeyLabel", d.KeyLabel},
	}
	for _, n := range names {
		if err := checkName(n.what, n.text); err != nil {
			return err
		}
	}
	for _, m := range d.DedupKeys {
		if err := checkName("dedup key", m); err != nil {
			return err
		}
	}
	if len(d.Body) > maxBody {
		return fmt.Errorf("%w: %w: %d bytes", ErrInvalid, webhook.ErrTooLarge, len(d.Body))
	}
	return nil
}

func checkName(what, text string) error {
	switch {
	case len(text) > maxName:
		return fmt.Errorf("%w: %s of %d bytes, over %d", ErrInvalid, what, len(text), maxName)
	case !isText(text):
		return fmt.Errorf("%w: %s is not text", ErrInvalid, what)
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

func (e *entry) orderKey() orderKey { return orderKey{e.delivery.Source, e.delivery.OrderingKey} }

// pack makes the arguments of a batch: the rows as one JSON array, and the
// envelopes and bodies one after the other, to which the rows point. One
// statement then takes a batch of any size, whatever the driver.
func pack(batch []*job) (rows string, bytes []byte) {
	nText, nBytes := 2, 0
	for _, j := range batch {
		e := j.put
		nText += len(e.row) + 96
		nBytes += e.size()
	}
	text := make([]byte, 0, nText)
	bytes = make([]byte, 0, nBytes)
	text = append(text, '[')
	for i, j := range batch {
		e := j.put
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, `{"n":`...)
		text = strconv.AppendInt(text, int64(i), 10)
		text = append(text, `,"at":`...)
		text = strconv.AppendInt(text, int64(len(bytes)), 10)
		if e.burst != 0 {
			text = append(text, `,"burst_started_at":`...)
			text = strconv.AppendInt(text, e.burst, 10)
		}
		text = append(text, ',')
		text = append(text, e.row[1:]...)
		bytes = append(append(bytes, e.envelope...), e.delivery.Body...)
	}
	return string(append(text, ']')), bytes
}

// microseconds rounds up, so that what is more than zero stays so.
func microseconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/time.Microsecond) + 1
}

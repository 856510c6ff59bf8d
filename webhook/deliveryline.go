package webhook

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// A deliveryLine is the first line of an encoded delivery. DELIVERY.md documents it. Do
// not change it: another member needs another version.
type deliveryLine struct {
	Version       int64               `json:"version"`
	UID           string              `json:"uid"`
	Source        string              `json:"source"`
	Type          string              `json:"type"`
	ID            string              `json:"id,omitempty"`
	OrderingKey   string              `json:"ordering_key,omitempty"`
	DedupKeys     []string            `json:"dedup_keys,omitempty"`
	CoalesceQuiet int64               `json:"coalesce_quiet_us,omitempty"`
	CoalesceMax   int64               `json:"coalesce_max_us,omitempty"`
	NotBefore     int64               `json:"not_before_us,omitempty"`
	ReceivedAt    *int64              `json:"received_at_us,omitempty"`
	KeyLabel      string              `json:"key_label,omitempty"`
	Malformed     string              `json:"malformed,omitempty"`
	Unsigned      string              `json:"unsigned,omitempty"`
	Header        map[string][]string `json:"header,omitempty"`        // those that are text
	HeaderBase64  [][][]byte          `json:"header_base64,omitempty"` // the others: each is its name and then its values
	BodySize      *int64              `json:"body_size"`
}

// newDeliveryLine returns the line of d, or why d cannot be encoded.
func newDeliveryLine(d *Delivery) (*deliveryLine, error) {
	if err := texts(d).Check(); err != nil {
		return nil, err
	}
	notBefore, err := limit.NotBefore(d.NotBefore)
	if err != nil {
		return nil, err
	}
	size := int64(len(d.Body))
	line := &deliveryLine{
		Version: deliveryVersion, UID: d.UID, Source: d.Source, Type: d.Type, ID: d.ID, OrderingKey: d.OrderingKey, DedupKeys: d.DedupKeys,
		CoalesceQuiet: roundedMicroseconds(d.Coalesce.Quiet), CoalesceMax: roundedMicroseconds(d.Coalesce.Max), NotBefore: notBefore,
		KeyLabel: d.KeyLabel, Malformed: d.Malformed, Unsigned: d.Unsigned, BodySize: &size,
	}
	if !d.ReceivedAt.IsZero() {
		if d.ReceivedAt.Before(time.UnixMicro(math.MinInt64)) || d.ReceivedAt.After(time.UnixMicro(math.MaxInt64)) {
			return nil, fmt.Errorf("the year of ReceivedAt, %d, is too far away", d.ReceivedAt.Year())
		}
		at := d.ReceivedAt.UnixMicro()
		line.ReceivedAt = &at
	}
	line.setHeader(d.Header)
	return line, nil
}

// setHeader sets Header and HeaderBase64.
func (l *deliveryLine) setHeader(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		values := h[name]
		if isText(name) && !slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
			if l.Header == nil {
				l.Header = make(map[string][]string, len(h))
			}
			l.Header[name] = append([]string{}, values...) // nil would be null
			continue
		}
		raw := make([][]byte, 1, 1+len(values))
		raw[0] = []byte(name)
		for _, v := range values {
			raw = append(raw, []byte(v))
		}
		l.HeaderBase64 = append(l.HeaderBase64, raw)
	}
}

// delivery returns what the line says, without a Body. It is an error if no program can
// have encoded such a delivery.
func (l *deliveryLine) delivery() (*Delivery, error) {
	d := &Delivery{
		UID: l.UID, Source: l.Source, ID: l.ID, Type: l.Type, OrderingKey: l.OrderingKey, DedupKeys: l.DedupKeys,
		KeyLabel: l.KeyLabel, Malformed: l.Malformed, Unsigned: l.Unsigned,
	}
	if err := texts(d).Check(); err != nil {
		return nil, err
	}
	var err error
	if d.Coalesce.Quiet, err = durationOf("coalesce_quiet_us", l.CoalesceQuiet); err != nil {
		return nil, err
	}
	if d.Coalesce.Max, err = durationOf("coalesce_max_us", l.CoalesceMax); err != nil {
		return nil, err
	}
	switch {
	case l.NotBefore < 0:
		return nil, fmt.Errorf("the not_before_us of %d is negative", l.NotBefore)
	case l.NotBefore > 0:
		d.NotBefore = time.UnixMicro(l.NotBefore)
	}
	if l.ReceivedAt != nil {
		d.ReceivedAt = time.UnixMicro(*l.ReceivedAt)
	}
	d.Header, err = l.header()
	return d, err
}

// header returns all headers, nil if there are none.
func (l *deliveryLine) header() (http.Header, error) {
	if len(l.Header) == 0 && len(l.HeaderBase64) == 0 {
		return nil, nil
	}
	h := http.Header(l.Header)
	if h == nil {
		h = make(http.Header, len(l.HeaderBase64))
	}
	for _, raw := range l.HeaderBase64 {
		if len(raw) == 0 {
			return nil, fmt.Errorf("an element of header_base64 has no name")
		}
		name := string(raw[0])
		if _, ok := h[name]; ok {
			return nil, fmt.Errorf("the header %.64q is there twice", name)
		}
		values := make([]string, 0, len(raw)-1)
		for _, v := range raw[1:] {
			values = append(values, string(v))
		}
		h[name] = values
	}
	return h, nil
}

// texts returns the texts of d, to be checked.
func texts(d *Delivery) limit.Texts {
	return limit.Texts{
		UID: d.UID, Source: d.Source, ID: d.ID, Type: d.Type, OrderingKey: d.OrderingKey, KeyLabel: d.KeyLabel,
		Malformed: d.Malformed, Unsigned: d.Unsigned, DedupKeys: d.DedupKeys,
	}
}

// roundedMicroseconds rounds up, so that what is more than zero stays so. A negative
// duration is zero.
func roundedMicroseconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/time.Microsecond) + 1
}

// durationOf returns a number of microseconds as a Duration. The number that the largest
// Duration is rounded up to is the largest Duration.
func durationOf(member string, micros int64) (time.Duration, error) {
	switch most := roundedMicroseconds(math.MaxInt64); {
	case micros < 0:
		return 0, fmt.Errorf("the %s of %d is negative", member, micros)
	case micros > most:
		return 0, fmt.Errorf("the %s of %d is over %d", member, micros, most)
	case micros == most:
		return math.MaxInt64, nil
	}
	return time.Duration(micros) * time.Microsecond, nil
}

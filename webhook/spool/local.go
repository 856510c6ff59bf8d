package spool

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// metaHeader keeps what local must not act on. Its first value is a spoolMeta; values
// that the sender sent follow.
const metaHeader = "Hookhouse-Spool"

// A spoolMeta is what a Spool takes out of a delivery that it stores in local, as JSON.
type spoolMeta struct {
	Coalesce  webhook.Coalesce `json:"coalesce"`
	DedupKeys []string         `json:"unique,omitempty"`
	NotBefore int64            `json:"not_before,omitempty"` // in microseconds since 1970
}

// encodeForLocal returns d as it is stored in local. It does not coalesce, because
// primary would never get a delivery that local superseded. It has no NotBefore, because
// until then every new delivery would go to local. If dropDedupKeys, it has no dedup
// keys. A NotBefore that no inbox stores stays, so that local refuses it.
func encodeForLocal(d *webhook.Delivery, dropDedupKeys bool) *webhook.Delivery {
	if d.Coalesce == (webhook.Coalesce{}) && d.NotBefore.IsZero() && !dropDedupKeys && d.Header[metaHeader] == nil {
		return d
	}
	own := *d
	meta := spoolMeta{Coalesce: d.Coalesce}
	own.Coalesce = webhook.Coalesce{}
	if at, ok := microseconds(d.NotBefore); ok {
		meta.NotBefore, own.NotBefore = at, time.Time{}
	}
	if dropDedupKeys {
		meta.DedupKeys, own.DedupKeys = d.DedupKeys, nil
	}
	text, _ := json.Marshal(meta) // numbers and strings: cannot fail
	own.Header = maps.Clone(d.Header)
	if own.Header == nil {
		own.Header = make(http.Header)
	}
	own.Header[metaHeader] = append([]string{string(text)}, d.Header[metaHeader]...)
	return &own
}

// microseconds returns a time after 1970 in microseconds, rounded up, and whether an
// int64 holds it.
func microseconds(t time.Time) (micros int64, ok bool) {
	micros = t.UnixMicro() // wraps around if it does not
	is := time.UnixMicro(micros)
	if micros <= 0 || micros == math.MaxInt64 || t.Sub(is).Abs() > time.Microsecond {
		return 0, false
	}
	if is.Before(t) {
		micros++
	}
	return micros, true
}

// decodeFromLocal undoes encodeForLocal. It changes d, which is a claimed delivery and
// so the claimer's own.
func decodeFromLocal(d *webhook.Delivery) *webhook.Delivery {
	var meta spoolMeta
	values := d.Header[metaHeader]
	if len(values) == 0 || json.Unmarshal([]byte(values[0]), &meta) != nil {
		return d
	}
	d.Coalesce = meta.Coalesce
	if meta.NotBefore != 0 {
		d.NotBefore = time.UnixMicro(meta.NotBefore)
	}
	if meta.DedupKeys != nil {
		d.DedupKeys = meta.DedupKeys
	}
	if len(values) > 1 {
		d.Header[metaHeader] = values[1:]
	} else if delete(d.Header, metaHeader); len(d.Header) == 0 {
		d.Header = nil
	}
	return d
}

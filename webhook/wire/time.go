package wire

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"time"
)

// A Time is a moment as senders write it: UNIX seconds as an integer, with a
// fraction or with an exponent; RFC 3339 text with any offset; the same without
// a zone, which is read as UTC; or null. It is exact to the nanosecond, and what
// is finer is cut.
//
// Text that is no such time is kept and encoded again, and leaves the embedded
// time zero: one odd field must not cost the delivery. Only true, false,
// objects and arrays are errors. The zero value is absent. To change a Time,
// assign a new one of [At] or [Unix]: the embedded time alone does not change
// what is encoded.
type Time struct {
	time.Time
	raw string // the JSON token; empty where absent
}

// Unix returns a Time that is written as UNIX seconds.
func Unix(sec int64) Time {
	return Time{time.Unix(sec, 0).UTC(), strconv.FormatInt(sec, 10)}
}

// At returns a Time that is written as RFC 3339, with as much of a fraction as t
// has.
func At(t time.Time) Time {
	return Time{t, t.Format(`"` + time.RFC3339Nano + `"`)}
}

// IsZero reports whether the time was absent. It shadows the method of the
// embedded time so that omitzero leaves out only what was not there; null and
// year 1 are not absent.
func (t Time) IsZero() bool { return t.raw == "" && t.Time.IsZero() }

// Valid reports whether a moment could be read: not absent, not null and not
// some other text. Year 1 is valid.
func (t Time) Valid() bool {
	if !t.Time.IsZero() {
		return true
	}
	_, ok := moment(t.raw)
	return ok
}

// Text returns what the sender wrote, without quotes; empty for absent and null.
func (t Time) Text() string {
	if t.raw == "null" {
		return ""
	}
	if text, ok := unquote(t.raw); ok {
		return text
	}
	return t.raw
}

// MarshalJSON writes the time as it was read; null where it was absent.
func (t Time) MarshalJSON() ([]byte, error) {
	switch {
	case t.raw != "":
		return []byte(t.raw), nil
	case t.Time.IsZero():
		return []byte("null"), nil
	default:
		return t.Time.MarshalJSON()
	}
}

// UnmarshalJSON reads any of the forms.
func (t *Time) UnmarshalJSON(token []byte) error {
	raw, ok := scalar(token)
	if !ok {
		return errors.New("wire: time is neither text, number nor null")
	}
	at, _ := moment(raw)
	*t = Time{at, raw}
	return nil
}

// withoutZone is RFC 3339 less its zone, as .NET writes a time it knows no zone of.
const withoutZone = "2006-01-02T15:04:05"

// moment reads a JSON token. It is exact where ok, else the zero time.
func moment(raw string) (at time.Time, ok bool) {
	if raw == "" || raw == "null" {
		return time.Time{}, false
	}
	// Unquoted first: .NET writes the plus sign of an offset as an escape.
	text, quoted := unquote(raw)
	if !quoted {
		return seconds(raw)
	}
	for _, layout := range []string{time.RFC3339, withoutZone} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// maxSeconds bounds what is taken for UNIX seconds: the year 9999.
const maxSeconds = 253402300799

// maxNumber is the longest number, in bytes, that is read exactly.
const maxNumber = 64

// seconds reads a JSON number; it is not ok where it is out of range.
func seconds(raw string) (at time.Time, ok bool) {
	if sec, err := strconv.ParseInt(raw, 10, 64); err == nil {
		if sec > maxSeconds || sec < -maxSeconds {
			return time.Time{}, false
		}
		return time.Unix(sec, 0).UTC(), true
	}
	// The magnitude and length first: an exact value of 1e999999999, or of a
	// million digits, would cost more than a delivery is worth.
	if len(raw) > maxNumber {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.Abs(f) > maxSeconds {
		return time.Time{}, false
	}
	if math.Abs(f) < 1e-9 {
		return time.Unix(0, 0).UTC(), true
	}
	exact, ok := new(big.Rat).SetString(raw)
	if !ok {
		return time.Time{}, false
	}
	nanos := exact.Mul(exact, big.NewRat(int64(time.Second), 1))
	n := new(big.Int).Quo(nanos.Num(), nanos.Denom())
	sec, rest := new(big.Int).QuoRem(n, big.NewInt(int64(time.Second)), new(big.Int))
	return time.Unix(sec.Int64(), rest.Int64()).UTC(), true
}

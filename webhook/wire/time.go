package wire

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"time"
)

// A Time is a time in one of the forms that senders use in JSON:
//
//   - a number of seconds since 1970 UTC, also with a fraction or an exponent
//   - RFC 3339 text with any offset
//   - RFC 3339 text without a zone, which means UTC
//   - null
//
// It is exact to the nanosecond. Digits beyond that are dropped. The range of seconds
// ends with the year 9999. Other text and numbers out of range are not an error, so
// that one odd field does not make the delivery undecodable: they are kept and
// encoded again, and the embedded time is zero. Only true, false, objects and arrays
// are errors.
//
// The zero value is absent. To change a decoded Time, assign a new one of [At] or
// [Unix]: a change of the embedded time does not change what is encoded.
type Time struct {
	time.Time
	raw string // the JSON token; empty if absent
}

// Unix returns a Time that is encoded as seconds since 1970 UTC.
func Unix(sec int64) Time {
	return Time{time.Unix(sec, 0).UTC(), strconv.FormatInt(sec, 10)}
}

// At returns a Time that is encoded as RFC 3339, with the fraction of t.
func At(t time.Time) Time {
	return Time{t, t.Format(`"` + time.RFC3339Nano + `"`)}
}

// IsZero reports whether the time is absent. It is false for null and for year 1. It
// shadows the method of the embedded time, so that omitzero omits only absent times.
func (t Time) IsZero() bool { return t.raw == "" && t.Time.IsZero() }

// Valid reports whether t is a time: not absent, not null and not other text. Year 1
// is valid.
func (t Time) Valid() bool {
	if !t.Time.IsZero() {
		return true
	}
	_, ok := moment(t.raw)
	return ok
}

// Text returns the text or number that the sender wrote, without quotes. It is empty
// for absent and null.
func (t Time) Text() string {
	if t.raw == "null" {
		return ""
	}
	if text, ok := unquote(t.raw); ok {
		return text
	}
	return t.raw
}

// MarshalJSON returns the JSON that the time was decoded from, or null if it is
// absent.
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

// UnmarshalJSON decodes any of the forms. If it returns an error, it does not change
// t.
func (t *Time) UnmarshalJSON(token []byte) error {
	raw, ok := scalar(token)
	if !ok {
		return errors.New("wire: time is not a string, a number or null")
	}
	at, _ := moment(raw)
	*t = Time{at, raw}
	return nil
}

// withoutZone is RFC 3339 without a zone. .NET writes times of unknown zone so.
const withoutZone = "2006-01-02T15:04:05"

// moment returns the time of a JSON token, or the zero time if it is not a time.
func moment(raw string) (at time.Time, ok bool) {
	if raw == "" || raw == "null" {
		return time.Time{}, false
	}
	// Decode escapes first: .NET writes the plus sign of an offset as an escape.
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

// maxSeconds is the last second of the year 9999. The magnitude of a number of
// seconds must not exceed it.
const maxSeconds = 253402300799

// maxNumber is the maximum length in bytes of a number with fraction or exponent.
const maxNumber = 64

// seconds returns the time of a JSON number. It is not ok if the number is out of
// range.
func seconds(raw string) (at time.Time, ok bool) {
	if sec, err := strconv.ParseInt(raw, 10, 64); err == nil {
		if sec > maxSeconds || sec < -maxSeconds {
			return time.Time{}, false
		}
		return time.Unix(sec, 0).UTC(), true
	}
	// Check length and magnitude first: the exact value of 1e999999999, or of a
	// million digits, would take too much time and memory.
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

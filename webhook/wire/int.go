package wire

import (
	"errors"
	"math"
	"strconv"
)

// An Int is an integer that is a number, a number in quotes, or null in JSON. Other
// text, numbers that are not integers, and integers that do not fit in an int64 are
// kept and encoded again, and Int64 returns 0. The zero value is absent.
type Int struct {
	n   int64
	raw string // the JSON token; empty if absent
}

// IntOf returns an Int that is encoded as a number.
func IntOf(n int64) Int { return Int{n, strconv.FormatInt(n, 10)} }

// Int64 returns the number, or 0 if there is none.
func (i Int) Int64() int64 { return i.n }

// IsZero reports whether the number is absent. It is false for 0 and null.
func (i Int) IsZero() bool { return i.raw == "" }

// MarshalJSON returns the JSON that the number was decoded from, or null if it is
// absent.
func (i Int) MarshalJSON() ([]byte, error) {
	if i.raw == "" {
		return []byte("null"), nil
	}
	return []byte(i.raw), nil
}

// UnmarshalJSON decodes any of the forms. For true, false, objects, arrays and
// invalid JSON it returns an error and does not change i.
func (i *Int) UnmarshalJSON(token []byte) error {
	raw, ok := scalar(token)
	if !ok {
		return errors.New("wire: integer is not a number, a string or null")
	}
	text, quoted := unquote(raw)
	if !quoted {
		text = raw
	}
	*i = Int{raw: raw, n: whole(text)}
	return nil
}

// whole returns the integer that text is, also if it has a fraction of zeros or an
// exponent. It returns 0 if text is not an integer or does not fit in an int64.
func whole(text string) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	const exact = 1 << 53 // a float64 cannot represent every integer above it
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > exact || f != math.Trunc(f) {
		return 0
	}
	return int64(f)
}

package wire

import (
	"errors"
	"math"
	"strconv"
)

// An Int is a whole number that may come as a number, as a quoted number, or as
// null. Other text and numbers that are not whole are kept and encoded again,
// and read as 0. The zero value is absent; Int64 gives the number.
type Int struct {
	n   int64
	raw string // the JSON token; empty where absent
}

// IntOf returns an Int that is written as a number.
func IntOf(n int64) Int { return Int{n, strconv.FormatInt(n, 10)} }

// Int64 returns the number, 0 where there is none.
func (i Int) Int64() int64 { return i.n }

// IsZero reports whether the number was absent; 0 and null are not.
func (i Int) IsZero() bool { return i.raw == "" }

// MarshalJSON writes the number as it was read; null where it was absent.
func (i Int) MarshalJSON() ([]byte, error) {
	if i.raw == "" {
		return []byte("null"), nil
	}
	return []byte(i.raw), nil
}

// UnmarshalJSON reads any of the forms.
func (i *Int) UnmarshalJSON(token []byte) error {
	raw, ok := scalar(token)
	if !ok {
		return errors.New("wire: number is neither number, text nor null")
	}
	text, quoted := unquote(raw)
	if !quoted {
		text = raw
	}
	*i = Int{raw: raw, n: whole(text)}
	return nil
}

// whole reads what fits an int64 and is whole, written with an exponent or not.
func whole(text string) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	const exact = 1 << 53 // beyond it a float64 skips whole numbers
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > exact || f != math.Trunc(f) {
		return 0
	}
	return int64(f)
}

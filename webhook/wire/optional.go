package wire

import "encoding/json"

// An Optional is a value that may be absent or null, which it keeps apart. The
// zero value is absent.
type Optional[T any] struct {
	value T
	state state
}

type state uint8

const (
	absent state = iota
	null
	present
)

// Some returns an Optional that holds v.
func Some[T any](v T) Optional[T] { return Optional[T]{v, present} }

// Null returns an Optional that is null.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == present }

// Or returns the value, or instead where it is null or absent.
func (o Optional[T]) Or(instead T) T {
	if o.state == present {
		return o.value
	}
	return instead
}

// IsNull reports whether the value was there and null.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the value was absent.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// MarshalJSON writes the value; null where it is null or absent.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value or null.
func (o *Optional[T]) UnmarshalJSON(token []byte) error {
	if string(token) == "null" {
		*o = Null[T]()
		return nil
	}
	if setPlain(&o.value, token) {
		o.state = present
		return nil
	}
	var v T
	if err := json.Unmarshal(token, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}

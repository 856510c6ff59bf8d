package wire

import "encoding/json"

// An Optional is a value that can be absent or null in JSON, and distinguishes the
// two. The zero value is absent.
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

// Get returns the value, and true if it is neither absent nor null.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == present }

// Or returns the value, or otherwise if the value is null or absent.
func (o Optional[T]) Or(otherwise T) T {
	if o.state == present {
		return o.value
	}
	return otherwise
}

// IsNull reports whether the value is null. It is false if the value is absent.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the value is absent. It is false for null.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// MarshalJSON returns the JSON of the value, or null if it is null or absent.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON decodes a value as encoding/json decodes a T, or null. If it returns
// an error, it does not change o.
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

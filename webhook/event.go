package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
)

// A Payload is the decoded document of a delivery. It is a struct, not a pointer to one.
// EventType returns the type of the deliveries that it belongs to, so that [On] needs no
// string. EventType is called on the zero value and always returns the same text.
type Payload interface{ EventType() string }

// A Checker is a type that checks the raw document before it is decoded into it. The
// payloads of the providers refuse a document that repeats a routing field, in the same
// case or in another: a decoder might use another value than routing did. Check need not
// wrap [ErrMalformed]: Decode does.
type Checker interface{ Check(document []byte) error }

// An Event is a delivery with its decoded document, or with the fields of its form.
type Event[T any] struct {
	*Delivery
	Payload T
}

// Decode decodes the delivery's document with encoding/json into any T: a [Payload] or a
// struct of another package. It is for users of [Source.Middleware]: callbacks of [On] and
// [OnType] receive the document decoded. Decode does not check d.Type. Its error wraps
// [ErrMalformed]. If [Delivery.Malformed] is set, Decode always returns an error: the
// document may have been routed by another value than the one that would be decoded. Decode
// panics if T is a pointer type or an interface with methods.
//
// The rules of encoding/json apply: of a repeated name the last value is used, unless T is
// a [Checker] that refuses the document; names match in any case; invalid UTF-8 becomes
// U+FFFD.
func Decode[T any](d *Delivery) (*Event[T], error) {
	mustDecode[T]()
	return newEvent(d, decodeDocument[T](json.Unmarshal))
}

// mustDecode panics on types into which nothing can be decoded, or whose Check would be
// called on nil.
func mustDecode[T any]() {
	switch t := reflect.TypeFor[T](); {
	case t.Kind() == reflect.Pointer:
		panic("webhook: the payload is a pointer: use " + t.Elem().String())
	case t.Kind() == reflect.Interface && t.NumMethod() > 0:
		panic("webhook: the payload is the interface " + t.String() + ": use a struct")
	}
}

// newEvent returns d with the payload that decode reads from it. Each callback of On,
// OnType and OnForm, and each caller of Decode, gets its Event from newEvent.
func newEvent[T any](d *Delivery, decode func(*Delivery, *T) error) (*Event[T], error) {
	if d.Malformed != "" {
		return nil, fmt.Errorf("%s: %w: %s", d.Type, ErrMalformed, d.Malformed)
	}
	e := &Event[T]{Delivery: d}
	if err := decode(d, &e.Payload); err != nil {
		if errors.Is(err, ErrMalformed) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w: %w", d.Type, ErrMalformed, err)
	}
	return e, nil
}

// decodeDocument returns a func that reads the document with a decoder, after the Check of
// T.
func decodeDocument[T any](decoder func([]byte, any) error) func(*Delivery, *T) error {
	return func(d *Delivery, payload *T) error {
		doc, err := d.Document()
		if err != nil {
			return err
		}
		if string(bytes.TrimSpace(doc)) == "null" { // decoders would leave a zero T
			return errors.New("the document is null")
		}
		if c, ok := any(payload).(Checker); ok {
			if err := c.Check(doc); err != nil {
				return err
			}
		}
		return decoder(doc, payload)
	}
}

// decodeForm reads the fields of a form.
func decodeForm(d *Delivery, fields *url.Values) (err error) {
	*fields, err = d.Form()
	return err
}

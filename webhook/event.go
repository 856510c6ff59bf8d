package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// A Payload is the decoded document of a delivery. It is a struct, not a pointer to one.
// EventType returns the type of the deliveries that it belongs to, so that [On] needs no
// string. EventType is called on the zero value and always returns the same text.
type Payload interface{ EventType() string }

// A Checker is a Payload that checks the raw document before it is decoded. The payloads
// of the providers refuse a document that repeats a routing field, in the same case or
// in another: a decoder might use another value than routing did. Check need not wrap
// [ErrMalformed]: Decode does.
type Checker interface{ Check(document []byte) error }

// An Event is a delivery with its decoded document.
type Event[T any] struct {
	*Delivery
	Payload T
}

// Decode decodes the delivery's document with encoding/json. It is for users of
// [Source.Middleware]: callbacks of [On] receive the document decoded. Decode does not
// check d.Type. Its error wraps [ErrMalformed]. A delivery with [Delivery.Malformed] is
// refused for every T: what routed it and what decodes it must not read it in two ways.
// Decode panics if T is a pointer type.
//
// The rules of encoding/json apply: of a repeated name the last value is used, unless the
// Payload is a [Checker] that refuses the document; names match in any case; invalid
// UTF-8 becomes U+FFFD.
func Decode[T Payload](d *Delivery) (*Event[T], error) {
	mustBeValue[T]()
	return decode[T](d, json.Unmarshal)
}

// mustBeValue panics on a pointer type, whose Check would be called on nil.
func mustBeValue[T Payload]() {
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Pointer {
		panic("webhook: the payload is a pointer: use " + t.Elem().String())
	}
}

// On registers the callback f for the type of T. f receives the document decoded by
// [Mux.Decode]. If it cannot be decoded, the outcome is [ErrMalformed] and f is not
// called. On panics on a nil f, if T is a pointer type, and if the type is empty or
// already registered.
//
// The document is the JSON that [Delivery.Document] returns. A form with its own fields,
// such as those of Twilio and of Slack commands, has no document, and Mux.Decode is not
// called. For such a form register a Handler with [Mux.Route] that reads d.Body with
// url.ParseQuery.
func On[T Payload](m *Mux, f func(context.Context, *Event[T]) error) {
	mustBeValue[T]()
	var zero T
	if f == nil {
		panic("webhook: On needs a callback for " + zero.EventType())
	}
	if zero.EventType() == "" {
		panic(fmt.Sprintf("webhook: On: EventType of %T returns an empty type", zero))
	}
	m.Route(zero.EventType(), HandlerFunc(func(ctx context.Context, d *Delivery) error {
		decoder := m.Decode
		if decoder == nil {
			decoder = json.Unmarshal
		}
		e, err := decode[T](d, decoder)
		if err != nil {
			return err
		}
		return f(ctx, e)
	}))
}

func decode[T Payload](d *Delivery, decoder func([]byte, any) error) (*Event[T], error) {
	if d.Malformed != "" {
		return nil, malformed(d, errors.New(d.Malformed))
	}
	doc, err := d.Document()
	if err != nil {
		return nil, err
	}
	if string(bytes.TrimSpace(doc)) == "null" { // decoders would return a zero T
		return nil, malformed(d, errors.New("the document is null"))
	}
	e := &Event[T]{Delivery: d}
	if c, ok := any(&e.Payload).(Checker); ok {
		if err := c.Check(doc); err != nil {
			return nil, malformed(d, err)
		}
	}
	if err := decoder(doc, &e.Payload); err != nil {
		return nil, malformed(d, err)
	}
	return e, nil
}

// malformedText returns the text of what Describe found malformed, empty if it found
// nothing.
func malformedText(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(reason(err), "malformed")
}

// malformed wraps ErrMalformed around err, unless err wraps it already.
func malformed(d *Delivery, err error) error {
	if errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", d.Type, ErrMalformed, err)
}

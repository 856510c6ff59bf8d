package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// A Payload is the typed document of a delivery. The type names its own route,
// so that [On] needs no string. It is a struct, not a pointer to one. EventType
// is called on the zero value and returns the same each time.
type Payload interface{ EventType() string }

// A Checker is a Payload that reads the raw document before it is decoded.
// The providers' payloads refuse one whose routing fields stand twice, or once
// more in another case: a decoder may pick another one than routing did. The
// error need not wrap [ErrMalformed]; Decode does it.
type Checker interface{ Check(document []byte) error }

// An Event is a delivery with its document decoded.
type Event[T any] struct {
	*Delivery
	Payload T
}

// Decode decodes the delivery's document with encoding/json. Users of
// [Source.Middleware] call it; [On] does it for the rest. It does not look at
// d.Type. The error wraps [ErrMalformed]. It panics where T is a pointer.
//
// What encoding/json lets pass holds here: of a name that stands twice the last
// one counts, except where the Payload is a [Checker]; names match in any case;
// invalid UTF-8 becomes U+FFFD.
func Decode[T Payload](d *Delivery) (*Event[T], error) {
	mustBeValue[T]()
	return decode[T](d, json.Unmarshal)
}

// mustBeValue panics on a pointer, whose Check would be asked of nothing.
func mustBeValue[T Payload]() {
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Pointer {
		panic("webhook: the payload is a pointer: use " + t.Elem().String())
	}
}

// On registers f for the type of T: a callback that gets the document decoded
// by [Mux.Decode]. What cannot be decoded is [ErrMalformed] without calling f.
// It panics on a nil f, where T is a pointer, and on a type that is empty or
// registered already.
//
// The document is JSON: [Delivery.Document]. A form that has fields of its own, as
// Twilio and Slack's commands send, has none, and Mux.Decode is not asked. Register
// a Handler with [Mux.Route] that reads d.Body with url.ParseQuery.
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
	doc, err := d.Document()
	if err != nil {
		return nil, err
	}
	if string(bytes.TrimSpace(doc)) == "null" { // decoders take it for a zero T
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

// malformed wraps what Document has not wrapped already.
func malformed(d *Delivery, err error) error {
	if errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", d.Type, ErrMalformed, err)
}

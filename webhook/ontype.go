package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// On registers the callback f for the type of T, as [OnType] does for any type. It panics
// if EventType of T returns an empty text.
func On[T Payload](m *Mux, f func(context.Context, *Event[T]) error) {
	mustDecode[T]()
	var zero T
	if zero.EventType() == "" {
		panic(fmt.Sprintf("webhook: On: EventType of %T returns an empty type", zero))
	}
	OnType(m, zero.EventType(), f)
}

// OnType registers the callback f for the deliveries of one type, such as "github.issues",
// and decodes their document into any T: a struct of the program, or one of another
// package, such as the IssuesEvent of go-github.
//
//   - The type is the whole one, with the name of its Source. A mistyped one is no error:
//     the deliveries of the true type have no callback. A Worker lets them wait, without a
//     log, or ends them as ignored if Mux.IgnoreUnhandled is set. [Stats].Unhandled and
//     [HealthHandler] name a type that has waited for a minute.
//   - The document is the JSON that [Delivery.Document] returns, decoded by [Mux.Decode].
//     If it cannot be decoded, the outcome is [ErrMalformed] and f is not called. A form
//     with its own fields has no document: use [OnForm].
//   - If [Delivery.Malformed] is set, the outcome is [ErrMalformed] and f is not called,
//     whatever T is: the document may have been routed by another value than the one that
//     would be decoded.
//   - If T is a [Checker], its Check is called before. Other structs are decoded by the
//     rules of [Decode].
//
// OnType panics on a nil f, if T is a pointer type or an interface with methods, and if the
// type is empty or already registered.
func OnType[T any](m *Mux, typ string, f func(context.Context, *Event[T]) error) {
	mustDecode[T]()
	register(m, typ, f, func(d *Delivery, payload *T) error {
		decoder := m.Decode
		if decoder == nil {
			decoder = json.Unmarshal
		}
		return decodeDocument[T](decoder)(d, payload)
	})
}

// OnForm registers the callback f for the deliveries of one type whose body is a form with
// fields of its own, such as a slash command of Slack or a message of Twilio. The payload
// is what [Delivery.Form] returns. If the body is not such a form, the outcome is
// [ErrMalformed] and f is not called. [Mux.Decode] is not used.
//
// A form whose field "payload" has the JSON is for [On] and [OnType].
//
// OnForm panics on a nil f, and if the type is empty or already registered.
func OnForm(m *Mux, typ string, f func(context.Context, *Event[url.Values]) error) {
	register(m, typ, f, decodeForm)
}

// register routes a type to f. The payload is read by decode.
func register[T any](m *Mux, typ string, f func(context.Context, *Event[T]) error, decode func(*Delivery, *T) error) {
	if f == nil {
		panic("webhook: the callback for " + typ + " is nil")
	}
	m.Route(typ, HandlerFunc(func(ctx context.Context, d *Delivery) error {
		e, err := newEvent(d, decode)
		if err != nil {
			return err
		}
		return f(ctx, e)
	}))
}

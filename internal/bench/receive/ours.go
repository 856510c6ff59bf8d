package receive

import (
	"context"
	"log/slog"
	"net/http"

	json "github.com/go-json-experiment/json"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

type (
	pushPayload  = github.Push
	imagePayload = dockerhub.Push
)

// PushSource verifies the pushes of a [sender.Pusher].
func PushSource() webhook.Source { return github.Source(webhook.NewSecret(sender.Secret)) }

func imageSource() webhook.Source { return dockerhub.Source(webhook.NewSecret(sender.PathToken)) }

// openRaw is a Receiver with a Handler that drops the verified delivery instead of
// storing it.
func openRaw(source func() webhook.Source) func(func(any)) http.Handler {
	return func(accept func(any)) http.Handler {
		return Receiver(source(), webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			accept(d)
			return nil
		}))
	}
}

// openTyped is a Receiver with one typed callback. If decode is nil, encoding/json
// decodes.
func openTyped[T webhook.Payload](source func() webhook.Source, decode func([]byte, any) error) func(func(any)) http.Handler {
	return func(accept func(any)) http.Handler {
		mux := &webhook.Mux{Decode: decode}
		webhook.On(mux, func(_ context.Context, e *webhook.Event[T]) error {
			accept(&e.Payload)
			return nil
		})
		return Receiver(source(), mux)
	}
}

// unmarshalV2 is the line that a user writes to decode with v2:
//
//	mux.Decode = func(doc []byte, v any) error { return json.Unmarshal(doc, v) }
func unmarshalV2(doc []byte, v any) error { return json.Unmarshal(doc, v) }

// Receiver logs nothing, as the tests send many calls that must be refused.
func Receiver(source webhook.Source, h webhook.Handler) *webhook.Receiver {
	rc := webhook.NewReceiver(source, h)
	rc.Logger = slog.New(slog.DiscardHandler)
	return rc
}

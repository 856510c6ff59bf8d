package main

import (
	"context"
	"log/slog"
	"net/http"

	json "github.com/go-json-experiment/json"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

type (
	pushPayload  = github.Push
	imagePayload = dockerhub.Push
)

func pushSource() webhook.Source { return github.Source(webhook.NewSecret(secretText)) }

func imageSource() webhook.Source { return dockerhub.Source(webhook.NewSecret(pathToken)) }

// openRaw is a Receiver with a Handler that drops the verified delivery where
// another would store it.
func openRaw(source func() webhook.Source) func(func(any)) http.Handler {
	return func(seen func(any)) http.Handler {
		return receiver(source(), webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			seen(d)
			return nil
		}))
	}
}

// openTyped is a Receiver with one typed callback. Nil means encoding/json.
func openTyped[T webhook.Payload](source func() webhook.Source, decode func([]byte, any) error) func(func(any)) http.Handler {
	return func(seen func(any)) http.Handler {
		mux := &webhook.Mux{Decode: decode}
		webhook.On(mux, func(_ context.Context, e *webhook.Event[T]) error {
			seen(&e.Payload)
			return nil
		})
		return receiver(source(), mux)
	}
}

// unmarshalV2 is the line that a user writes to decode with v2:
//
//	mux.Decode = func(doc []byte, v any) error { return json.Unmarshal(doc, v) }
func unmarshalV2(doc []byte, v any) error { return json.Unmarshal(doc, v) }

// receiver logs nothing: the tests refuse many calls on purpose.
func receiver(source webhook.Source, h webhook.Handler) *webhook.Receiver {
	rc := webhook.NewReceiver(source, h)
	rc.Logger = slog.New(slog.DiscardHandler)
	return rc
}

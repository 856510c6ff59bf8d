package publish_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// An event is published and reaches a receiver, which verifies it. With a database, use
// package sqlinbox and package sqlstore in place of MemInbox and MemStore. The Transport is for
// the example: without one the Publisher has its own.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	var receiver http.Handler
	pub.Transport = webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { receiver.ServeHTTP(w, r) }))

	endpoint, err := pub.Create(ctx, publish.Endpoint{URL: "https://shop.example/hooks", Events: []string{"comment.*"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	secret := endpoint.Secrets[0].Secret // show it to the owner of the endpoint, once

	received := make(chan string)
	source := webhook.Source{Name: "guestbook", Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(secret)}}
	callback := webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		received <- string(d.Body)
		return nil
	})
	r := webhook.NewReceiver(source, callback)
	r.Logger = slog.New(slog.DiscardHandler)
	receiver = r

	go func() { _ = pub.Run(ctx) }() // or webhook.Serve(ctx, server, listener, pub)
	if _, err := pub.Publish(ctx, publish.Event{Type: "comment.created", Payload: map[string]string{"name": "Ada"}}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-received)
	// Output: {"name":"Ada"}
}

// The old secret signs for another day, beside the new one.
func ExamplePublisher_Rotate() {
	ctx := context.Background()
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	pub.Transport = http.DefaultTransport
	e, err := pub.Create(ctx, publish.Endpoint{ID: "ep_1", URL: "https://shop.example/hooks", Events: []string{"*"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err = pub.Rotate(ctx, e.ID, webhook.Secret{}, 24*time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range e.Secrets {
		fmt.Println(string(s.Reveal()[:6]), s.Until.IsZero())
	}
	// Output:
	// whsec_ false
	// whsec_ true
}

// A Scheme of the program's own: an HMAC of the time and the body.
func ExampleHMACScheme() {
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	pub.Transport = http.DefaultTransport
	pub.Schemes = map[string]publish.Scheme{
		"acme": publish.HMACScheme(func(keys []webhook.Key) *webhook.HMAC {
			return &webhook.HMAC{
				Header:          "X-Acme-Signature",
				Prefix:          "v1=",
				Signed:          "{timestamp}.{body}",
				TimestampHeader: "X-Acme-Timestamp",
				Keys:            keys,
			}
		}),
	}
	e, err := pub.Create(context.Background(), publish.Endpoint{URL: "https://shop.example/hooks", Events: []string{"*"}, Scheme: "acme"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Scheme, len(e.Secrets[0].Reveal()))
	// Output: acme 64
}

// An endpoint was disabled. Its owner has repaired it, and gets what it has missed.
func ExamplePublisher_Resend() {
	ctx := context.Background()
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	pub.Transport = http.DefaultTransport
	if _, err := pub.Publish(ctx, publish.Event{Type: "comment.created", Payload: "hello"}); err != nil {
		fmt.Println(err)
		return
	}
	e, err := pub.Create(ctx, publish.Endpoint{URL: "https://shop.example/hooks", Events: []string{"*"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := pub.Resume(ctx, e.ID); err != nil {
		fmt.Println(err)
		return
	}
	n, err := pub.Resend(ctx, e.ID, time.Now().Add(-time.Hour), webhook.Note{By: "ada", Why: "the endpoint is repaired"})
	fmt.Println(n, err)
	// Output: 1 <nil>
}

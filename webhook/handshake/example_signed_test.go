package handshake_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Slack sends this when the Request URL of an app is saved. The answer is sent because
// the signature is Slack's; a forged request gets 401.
func ExampleSlack() {
	slack := webhook.Source{
		Name: "slack",
		Verifier: &webhook.HMAC{
			Header:          "X-Slack-Signature",
			Prefix:          "v0=",
			Signed:          "v0:{timestamp}:{body}",
			TimestampHeader: "X-Slack-Request-Timestamp",
			Keys:            webhook.Keys(webhook.NewSecret("signing secret")),
		},
		Handshake: handshake.Slack,
	}
	receiver := webhook.NewReceiver(slack, webhook.Store(new(webhook.MemInbox)))

	const body = `{
	    "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
	    "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
	    "type": "url_verification"
	}`
	r := webhooktest.NewRequest(slack, "/hooks/slack", []byte(body))
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(w.Body)
	// Output:
	// 200 text/plain; charset=utf-8
	// 3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P
}

// Zoom sends this when an event notification endpoint is saved, and every 72 hours. One
// secret token signs the request and the answer.
func ExampleZoom() {
	keys := webhook.Keys(webhook.NewSecret("secret token"))
	zoom := webhook.Source{
		Name: "zoom",
		Verifier: &webhook.HMAC{
			Header:          "X-Zm-Signature",
			Prefix:          "v0=",
			Signed:          "v0:{timestamp}:{body}",
			TimestampHeader: "X-Zm-Request-Timestamp",
			Keys:            keys,
		},
		Handshake: handshake.Zoom(keys...),
	}
	receiver := webhook.NewReceiver(zoom, webhook.Store(new(webhook.MemInbox)))

	const body = `{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`
	r := webhooktest.NewRequest(zoom, "/hooks/zoom", []byte(body))
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(w.Body)
	// Output:
	// 200 application/json
	// {"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"4010a309f8ec0e4dc7506ef21e98975c6302caa558db61e48081282f677a68df"}
}

// Discord sends this when the Webhook Events URL of an app is saved.
func ExampleDiscordEvents() {
	discord := func(key []byte) webhook.Source {
		return webhook.Source{
			Name: "discord",
			Verifier: &webhook.Ed25519{
				Header:          "X-Signature-Ed25519",
				Signed:          "{timestamp}{body}",
				TimestampHeader: "X-Signature-Timestamp",
				Keys:            webhook.Keys(webhook.NewSecret(hex.EncodeToString(key))),
			},
			Handshake: handshake.DiscordEvents,
		}
	}
	public, private, err := ed25519.GenerateKey(nil) // Discord shows only the public key
	if err != nil {
		panic(err)
	}
	receiver := webhook.NewReceiver(discord(public), webhook.Store(new(webhook.MemInbox)))

	const body = `{"version":1,"application_id":"1234560123453231555","type":0}`
	r := webhooktest.NewRequest(discord(private), "/hooks/discord", []byte(body))
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body.Len(), "bytes")
	// Output:
	// 204 0 bytes
}

// Discord sends this when the Interactions Endpoint URL of an app is saved, and also with
// a wrong signature, to see that it is refused.
func ExampleDiscordInteractions() {
	discord := func(key []byte) webhook.Source {
		return webhook.Source{
			Name: "discord",
			Verifier: &webhook.Ed25519{
				Header:          "X-Signature-Ed25519",
				Signed:          "{timestamp}{body}",
				TimestampHeader: "X-Signature-Timestamp",
				Keys:            webhook.Keys(webhook.NewSecret(hex.EncodeToString(key))),
			},
			Handshake: handshake.DiscordInteractions,
		}
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	receiver := webhook.NewReceiver(discord(public), webhook.Store(new(webhook.MemInbox)))
	receiver.Logger = silent

	const body = `{"id":"786008729715212338","application_id":"1234560123453231555","type":1,"token":"a","version":1}`
	genuine := webhooktest.NewRequest(discord(private), "/hooks/discord", []byte(body))
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, genuine)
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Body)

	forged := webhooktest.NewRequest(discord(private), "/hooks/discord", []byte(body+" "))
	forged.Header.Set("X-Signature-Ed25519", genuine.Header.Get("X-Signature-Ed25519"))
	w = httptest.NewRecorder()
	receiver.ServeHTTP(w, forged)
	fmt.Println(w.Code)
	// Output:
	// 200 application/json {"type":1}
	// 401
}

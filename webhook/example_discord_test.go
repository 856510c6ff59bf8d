package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// discordPrivateKey is that of RFC 8032, 7.1, test 1. Its second half is the public key.
const discordPrivateKey = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60" +
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

// discordSource is the Source of the webhook events of an app of Discord
// (https://docs.discord.com/developers/events/webhook-events). The key is the app's
// public key, in hexadecimal. Discord sends no ID, so what is new in a call is its
// signature, which covers the time.
func discordSource(publicKey webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "discord",
		Verifier: &webhook.Ed25519{
			Header:          "X-Signature-Ed25519",
			Signed:          "{timestamp}{body}",
			TimestampHeader: "X-Signature-Timestamp",
			Tolerance:       5 * time.Minute,
			Keys:            webhook.Keys(publicKey),
		},
		Handshake: handshake.DiscordEvents,
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				Event struct{ Type string }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{Type: "discord." + e.Event.Type, DedupBySignature: true}
		},
	}
}

// Discord signs the time and the body with a private key. This example signs with one
// of its own, which verifies as its public key would.
func ExampleEd25519_discord() {
	src := discordSource(webhook.NewSecret(discordPrivateKey))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type)
		return nil
	}))

	body := []byte(`{"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/discord", body))
	fmt.Println(w.Code)
	// Output:
	// discord.APPLICATION_AUTHORIZED
	// 202
}

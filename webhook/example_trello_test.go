package webhook_test

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// trelloSource is the Source of a webhook of Trello
// (https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/). The URL is
// the callbackURL, written as it was when the webhook was created. The key is the OAuth
// 1.0 secret of the application.
func trelloSource(url string, oauthSecret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "trello",
		Verifier: &webhook.HMAC{
			Header:   "X-Trello-Webhook",
			Hash:     sha1.New,
			Encoding: webhook.Base64,
			Signed:   "{body}{url}",
			URL:      url,
			Keys:     webhook.Keys(oauthSecret),
		},
		Handshake: handshake.Trello,
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				Action struct{ ID, Type string }
				Model  struct{ ID string }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{ID: e.Action.ID, Type: "trello." + e.Action.Type, OrderingKey: e.Model.ID}
		},
	}
}

// Trello signs the body, which has the ID, and the callback URL after it.
func ExampleHMAC_trello() {
	src := trelloSource("https://hooks.example.com/hooks/trello?board=1", webhook.NewSecret("trello-oauth1-secret"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"action":{"id":"51f9424b","type":"updateCard"},"model":{"id":"4d5ea62f"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/trello?board=1", body))
	fmt.Println(w.Code)
	// Output:
	// trello.updateCard 4d5ea62f [id:51f9424b]
	// 202
}

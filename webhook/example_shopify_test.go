package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// shopifySource is the Source of an app of Shopify
// (https://shopify.dev/docs/apps/build/webhooks/subscribe/https). The key is the app's
// client secret.
func shopifySource(clientSecret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "shopify",
		Verifier: &webhook.HMAC{
			Header:   "X-Shopify-Hmac-Sha256",
			Encoding: webhook.Base64,
			Keys:     webhook.Keys(clientSecret),
		},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			about := webhook.Description{
				ID:   r.Header.Get("X-Shopify-Webhook-Id"), // each subscription to an event has its own
				Type: "shopify." + r.Header.Get("X-Shopify-Topic"),
			}
			var e struct {
				ID string `json:"admin_graphql_api_id"` // unique over all shops
			}
			about.Malformed = json.Unmarshal(body, &e)
			about.OrderingKey = e.ID
			return about
		},
	}
}

// Shopify signs the body alone, in base64. The topic, the shop and the ID are in headers
// that are not signed.
func ExampleHMAC_shopify() {
	src := shopifySource(webhook.NewSecret("hush"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508"}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/shopify", body, "X-Shopify-Topic", "orders/create", "X-Shopify-Webhook-Id", "b54557e4"))
	fmt.Println(w.Code)
	// Output:
	// shopify.orders/create gid://shopify/Order/820982911946154508 [id:b54557e4]
	// 202
}

package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// stripeSource is the Source of an endpoint of Stripe
// (https://docs.stripe.com/webhooks#verify-manually). The key is the whole text
// "whsec_...", and not what it encodes.
func stripeSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "stripe",
		Verifier: &webhook.HMAC{
			Header:    "Stripe-Signature",
			Items:     webhook.Items{Time: "t", Signature: "v1"}, // v0 never counts
			Signed:    "{timestamp}.{body}",
			Tolerance: 5 * time.Minute,
			Keys:      webhook.Keys(secret),
		},
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				ID, Type string
				Data     struct{ Object struct{ ID string } }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{ID: e.ID, Type: "stripe." + e.Type, OrderingKey: e.Data.Object.ID}
		},
	}
}

// Stripe signs the time and the body. The time and one signature for each live key are
// items of one header. The ID is in the body.
func ExampleHMAC_stripe() {
	src := stripeSource(webhook.NewSecret("whsec_test_secret"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/stripe", body))
	fmt.Println(w.Code)
	// Output:
	// stripe.payment_intent.succeeded pi_1 [id:evt_1]
	// 202
}

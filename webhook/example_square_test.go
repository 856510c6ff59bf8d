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

// squareSource is the Source of a subscription of Square
// (https://developer.squareup.com/docs/webhooks/step3validate). The URL is the
// notification URL, written as it is in the subscription.
func squareSource(url string, signatureKey webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "square",
		Verifier: &webhook.HMAC{
			Header:   "X-Square-Hmacsha256-Signature",
			Encoding: webhook.Base64,
			Signed:   "{url}{body}",
			URL:      url,
			Keys:     webhook.Keys(signatureKey),
		},
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				ID   string `json:"event_id"`
				Type string
				Data struct{ ID string }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{ID: e.ID, Type: "square." + e.Type, OrderingKey: e.Data.ID}
		},
	}
}

// Square signs the notification URL and the body, which has the ID.
func ExampleHMAC_square() {
	src := squareSource("https://example.com/webhook", webhook.NewSecret("asdf1234"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"type":"payment.updated","event_id":"13b867cf","data":{"id":"KkAkhdMs"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/webhook", body))
	fmt.Println(w.Code)
	// Output:
	// square.payment.updated KkAkhdMs [id:13b867cf]
	// 202
}

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

// svixSource is the Source of a sender that uses Svix
// (https://docs.svix.com/receiving/verifying-payloads/how-manual). The secret is
// "whsec_" and base64. The sender chooses the body, this one has the field event_type.
func svixSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "svix",
		Verifier: &webhook.StandardWebhooks{
			HeaderPrefix: "Svix-",
			Tolerance:    5 * time.Minute,
			Keys:         webhook.Keys(secret),
		},
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				Type string `json:"event_type"`
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{Type: "svix." + e.Type}
		},
	}
}

// Svix signs as the Standard Webhooks specification says, with headers of its own name:
// the ID, the time and the body.
func ExampleStandardWebhooks_svix() {
	src := svixSource(webhook.NewSecret("whsec_plJ3nmyCDGBKInavdOK15jsl"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"event_type":"ping","data":{"success":true}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/svix", body, "Svix-Id", "msg_loFOjxBNrRLzqYUf"))
	fmt.Println(w.Code)
	// Output:
	// svix.ping [id:msg_loFOjxBNrRLzqYUf]
	// 202
}

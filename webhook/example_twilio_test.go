package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// twilioSource is the Source of the webhooks of an account of Twilio
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security). The URL is written as
// it is registered with Twilio, with its query.
func twilioSource(url string, authToken webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "twilio",
		Verifier: &webhook.Twilio{URL: url, Keys: webhook.Keys(authToken)},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			about := webhook.Description{
				ID:               r.Header.Get("I-Twilio-Idempotency-Token"), // the same on each try
				DedupBySignature: true,                                       // of a copy with another ID
			}
			form, err := webhook.Form(r, body)
			switch {
			case err != nil: // JSON, whose fields depend on the product
			case form.Has("MessageSid"):
				about.Type, about.OrderingKey = "twilio.message", form.Get("MessageSid")
			case form.Has("CallSid"):
				about.Type, about.OrderingKey = "twilio.call", form.Get("CallSid")
			}
			return about
		},
	}
}

// Twilio signs the registered URL and the parameters of the form. The ID is in a header
// that is not signed.
func ExampleTwilio() {
	src := twilioSource("https://mycompany.com/myapp.php?foo=1&bar=2", webhook.NewSecret("12345"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.ID)
		return nil
	}))

	body := []byte(`CallSid=CA1234567890ABCDE&Digits=1234`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/myapp.php?foo=1&bar=2", body, "Content-Type", "application/x-www-form-urlencoded", "I-Twilio-Idempotency-Token", "d1b5"))
	fmt.Println(w.Code)
	// Output:
	// twilio.call CA1234567890ABCDE d1b5
	// 202
}

package webhook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sender that follows the Standard Webhooks specification. The ID is signed,
// so it is the delivery's ID and its dedup key.
func ExampleStandardWebhooks() {
	verifier := &webhook.StandardWebhooks{
		Keys: webhook.Keys(webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
	}
	mail := webhook.Source{Name: "mail", Verifier: verifier}
	handler := mail.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		fmt.Println(d.ID, d.DedupKeys, d.KeyLabel)
	}))

	body := `{"type": "mail.bounced"}`
	r := httptest.NewRequest("POST", "/hooks/mail", strings.NewReader(body))
	r.Header.Set("Webhook-Id", "msg_1") // the sender's choice, the same on each try
	if err := verifier.Sign(r, []byte(body)); err != nil {
		fmt.Println(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// msg_1 [id:msg_1] 1
	// 200
}

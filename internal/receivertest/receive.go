package receivertest

import (
	"encoding/json"
	"io"
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/webhook"
)

func newReceiver(secret string, inbox webhook.Inbox) *webhook.Receiver {
	keys := webhook.Keys(webhook.NewSecret(secret)) // whsec_..., or whpk_... for v1a
	source := webhook.Source{
		Name:     "guestbook",
		Verifier: &webhook.StandardWebhooks{Keys: keys},
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var event struct{ Type string }
			err := json.Unmarshal(body, &event)
			return webhook.Description{Type: "guestbook." + event.Type, Malformed: err}
		},
	}
	return webhook.NewReceiver(source, webhook.Store(inbox))
}

func handle(verifier *standardwebhooks.Webhook, accept func(id string, body []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			http.Error(w, "not verified", http.StatusUnauthorized)
			return
		}
		if err := accept(r.Header.Get(standardwebhooks.HeaderWebhookID), body); err != nil {
			http.Error(w, "not stored", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

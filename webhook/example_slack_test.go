package webhook_test

import (
	"cmp"
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

// slackSource is the Source of an app of Slack
// (https://docs.slack.dev/authentication/verifying-requests-from-slack). It takes the
// events of the Events API, interactions and slash commands.
func slackSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "slack",
		Verifier: &webhook.HMAC{
			Header:          "X-Slack-Signature",
			Prefix:          "v0=",
			Signed:          "v0:{timestamp}:{body}",
			TimestampHeader: "X-Slack-Request-Timestamp",
			Tolerance:       5 * time.Minute,
			Keys:            webhook.Keys(secret),
		},
		Handshake: handshake.Slack,
		Describe: func(r *http.Request, body []byte) webhook.Description {
			doc, err := webhook.Document(r, body) // JSON, or that of an interaction in a form
			if err != nil {
				form, err := webhook.Form(r, body) // a slash command
				return webhook.Description{Type: "slack.command", OrderingKey: form.Get("channel_id"), DedupBySignature: true, Malformed: err}
			}
			var e struct {
				ID    string `json:"event_id"`
				Type  string
				Event struct {
					Type    string
					Channel any // an ID, or in a few events an object
				}
			}
			if err := json.Unmarshal(doc, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			channel, _ := e.Event.Channel.(string)
			return webhook.Description{
				ID:               e.ID, // of an event; an interaction has none
				Type:             "slack." + cmp.Or(e.Event.Type, e.Type),
				OrderingKey:      channel,
				DedupBySignature: e.ID == "",
			}
		},
	}
}

// Slack signs the time and the body. An event is JSON and has an ID, an interaction is
// JSON in a form, and a slash command is a form with fields of its own.
func ExampleHMAC_slack() {
	src := slackSource(webhook.NewSecret("8f742231b10e8888abcd99yyyzzz85a5"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"type":"event_callback","event_id":"Ev08MFMKH6","event":{"type":"reaction_added","channel":"C1"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/slack", body))
	fmt.Println(w.Code)
	// Output:
	// slack.reaction_added C1 [id:Ev08MFMKH6]
	// 202
}

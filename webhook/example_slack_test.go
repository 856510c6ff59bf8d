package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// slackSource is the Source of an app of Slack
// (https://docs.slack.dev/authentication/verifying-requests-from-slack). It takes the
// JSON of the Events API and the forms of slash commands.
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
		Describe: func(r *http.Request, body []byte) webhook.Description {
			if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
				form, err := url.ParseQuery(string(body))
				return webhook.Description{Type: "slack.command", OrderingKey: form.Get("channel_id"), Malformed: err}
			}
			var e struct {
				ID    string `json:"event_id"`
				Event struct{ Type, Channel string }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{ID: e.ID, Type: "slack." + e.Event.Type, OrderingKey: e.Event.Channel}
		},
	}
}

// Slack signs the time and the body, which may be a form. An event has an ID in its
// body, a slash command has none.
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

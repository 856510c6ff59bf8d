package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// jiraSource is the Source of an admin webhook of Jira Cloud with a secret
// (https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks).
// Webhooks that an OAuth 2.0 or a Connect app registers are not signed so: they have a
// JSON Web Token, which this package does not verify.
func jiraSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "jira",
		Verifier: &webhook.HMAC{Header: "X-Hub-Signature", Prefix: "sha256=", Keys: webhook.Keys(secret)},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			var e struct {
				WebhookEvent string
				Issue        struct{ Key string }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{
				ID:          r.Header.Get("X-Atlassian-Webhook-Identifier"), // the same on each try
				Type:        "jira." + strings.TrimPrefix(e.WebhookEvent, "jira:"),
				OrderingKey: e.Issue.Key,
			}
		},
	}
}

// Jira signs the body of an admin webhook.
func ExampleHMAC_jira() {
	src := jiraSource(webhook.NewSecret("It's a Secret to Everybody"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"webhookEvent":"jira:issue_updated","issue":{"key":"APP-7"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/jira", body, "X-Atlassian-Webhook-Identifier", "f0a1"))
	fmt.Println(w.Code)
	// Output:
	// jira.issue_updated APP-7 [id:f0a1]
	// 202
}

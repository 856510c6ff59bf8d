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

// bitbucketSource is the Source of a hook of Bitbucket Cloud with a secret
// (https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/). Despite the
// header's name, which is that of GitHub's SHA-1, the hash is SHA-256.
func bitbucketSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "bitbucket",
		Verifier: &webhook.HMAC{Header: "X-Hub-Signature", Prefix: "sha256=", Keys: webhook.Keys(secret)},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			about := webhook.Description{
				ID:   r.Header.Get("X-Request-UUID"),
				Type: "bitbucket." + r.Header.Get("X-Event-Key"),
			}
			var e struct {
				Repository struct {
					FullName string `json:"full_name"`
				}
			}
			about.Malformed = json.Unmarshal(body, &e)
			about.OrderingKey = e.Repository.FullName
			return about
		},
	}
}

// Bitbucket signs the body alone. The type and the ID are in headers that are not
// signed.
func ExampleHMAC_bitbucket() {
	src := bitbucketSource(webhook.NewSecret("It's a Secret to Everybody"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"repository":{"full_name":"acme/app"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/bitbucket", body, "X-Event-Key", "repo:push", "X-Request-UUID", "9f1b0c3e"))
	fmt.Println(w.Code)
	// Output:
	// bitbucket.repo:push acme/app [id:9f1b0c3e]
	// 202
}

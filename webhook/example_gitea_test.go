package webhook_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// giteaSource is the Source of a hook of Gitea
// (https://docs.gitea.com/usage/repository/webhooks). Create the hook with the content
// type application/json: of a form Gitea signs the JSON before it is encoded, so that
// the signature is not that of the body (go-gitea/gitea: services/webhook/deliver.go).
func giteaSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:         "gitea",
		ContentTypes: []string{"application/json"},
		Verifier:     &webhook.HMAC{Header: "X-Gitea-Signature", Keys: webhook.Keys(secret)},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			var e struct {
				Ref        string
				Repository struct {
					FullName string `json:"full_name"`
				}
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			event := r.Header.Get("X-Gitea-Event")
			return webhook.Description{
				ID:          r.Header.Get("X-Gitea-Delivery"),
				Type:        "gitea." + event,
				OrderingKey: e.Repository.FullName + " " + cmp.Or(e.Ref, event), // a push: in order for its ref
			}
		},
	}
}

// Gitea signs the body alone, in hexadecimal without a prefix.
func ExampleHMAC_gitea() {
	src := giteaSource(webhook.NewSecret("gitea-secret"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"ref":"refs/heads/develop","repository":{"full_name":"gitea/webhooks"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/gitea", body, "X-Gitea-Event", "push", "X-Gitea-Delivery", "f6266f16"))
	fmt.Println(w.Code)
	// Output:
	// gitea.push gitea/webhooks refs/heads/develop [id:f6266f16]
	// 202
}

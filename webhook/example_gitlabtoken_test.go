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

// gitlabTokenSource is the Source of a hook of GitLab with a secret token
// (https://docs.gitlab.com/user/project/integrations/webhooks/). The token proves that
// the caller knows it, and not that the body is genuine. Prefer a signing token.
func gitlabTokenSource(secret webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "gitlab",
		Verifier: &webhook.Token{Header: "X-Gitlab-Token", Keys: webhook.Keys(secret)},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			var e struct {
				Kind    string `json:"object_kind"`
				Ref     string
				Project struct {
					Path string `json:"path_with_namespace"`
				}
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{
				ID:          r.Header.Get("Idempotency-Key"), // the same on each try
				Type:        "gitlab." + e.Kind,
				OrderingKey: e.Project.Path + " " + cmp.Or(e.Ref, e.Kind), // a push: in order for its ref
			}
		},
	}
}

// GitLab sends the secret token as it is and signs nothing with it.
func ExampleToken_gitlab() {
	src := gitlabTokenSource(webhook.NewSecret("s3cret-token"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/app"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/gitlab", body, "Idempotency-Key", "f5e5f430"))
	fmt.Println(w.Code)
	// Output:
	// gitlab.push acme/app refs/heads/main [id:f5e5f430]
	// 202
}

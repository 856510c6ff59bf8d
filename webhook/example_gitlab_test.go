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
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// gitlabSource is the Source of a hook of GitLab with a signing token, "whsec_" and
// base64 (https://docs.gitlab.com/user/project/integrations/webhooks/). The signature
// covers the ID, which becomes that of the delivery.
func gitlabSource(signingToken webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "gitlab",
		Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(signingToken), Tolerance: 5 * time.Minute},
		Describe: func(_ *http.Request, body []byte) webhook.Description {
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
				Type:        "gitlab." + e.Kind,
				OrderingKey: e.Project.Path + " " + cmp.Or(e.Ref, e.Kind), // a push: in order for its ref
			}
		},
	}
}

// GitLab signs as the Standard Webhooks specification says if the hook has a signing
// token: the ID, the time and the body.
func ExampleStandardWebhooks_gitlab() {
	src := gitlabSource(webhook.NewSecret("whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, d.DedupKeys)
		return nil
	}))

	body := []byte(`{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/app"}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/gitlab", body, "Webhook-Id", "f5e5f430"))
	fmt.Println(w.Code)
	// Output:
	// gitlab.push acme/app refs/heads/main [id:f5e5f430]
	// 202
}

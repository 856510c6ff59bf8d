package kudu_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ typ, body, want string }{
		{"kudu.PostDeployment", string(webhooktest.KuduDeployment()), "deployment 9f3c1d7a5b2e of app.scm.azurewebsites.net: success, by Jane Roe"},
		{"kudu.TriggeredJobFinished", string(webhooktest.KuduJobRun()), "run of the job cleanup: Success"},
		{"kudu.PostDeployment", "{", ""},
		{"kudu.PostDeployment", "[]", ""},
		{"shop.order", "{}", ""},
	} {
		if got := kudu.Summary(&webhook.Delivery{Type: tt.typ, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.typ, got, tt.want)
		}
	}
}

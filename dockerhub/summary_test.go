package dockerhub_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ typ, body, want string }{
		{"dockerhub.push", string(webhooktest.DockerHubPush()), "push of acme/app:1.4.0 by acmebot"},
		{"dockerhub.push", "{", ""},
		{"dockerhub.push", "[]", ""},
		{"shop.order", "{}", ""},
	} {
		if got := dockerhub.Summary(&webhook.Delivery{Type: tt.typ, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.typ, got, tt.want)
		}
	}
}

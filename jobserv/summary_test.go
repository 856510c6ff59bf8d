package jobserv_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ typ, body, want string }{
		{"jobserv.build", string(webhooktest.JobServBuild()), "build 41 of acme/app: PASSED, 2 of 2 runs passed"},
		{"jobserv.build", "{", ""},
		{"jobserv.build", "[]", ""},
		{"shop.order", "{}", ""},
	} {
		if got := jobserv.Summary(&webhook.Delivery{Type: tt.typ, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.typ, got, tt.want)
		}
	}
}

package webhook_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A secret of the table that is no key is named in the log, without the secret.
func TestTheReasonNamesAKeyThatCannotBeUsed(t *testing.T) {
	for name, want := range map[string]string{
		"StandardWebhooks": "(2 tried; key 2 cannot be used: secret is not base64 of a key;",
		"Ed25519":          "(2 tried; key 2 cannot be used: an Ed25519 key must be hex or Base64)",
	} {
		table := &tenantTable{}
		g := tenantKinds(table.keysFor)[name]
		table.keys = map[string][]webhook.Key{"": webhook.Keys(g.a)}
		src := webhook.Source{Name: "acme", Verifier: g.v}
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		r := webhooktest.NewRequest(src, "/hooks", []byte("{}"))
		table.keys = map[string][]webhook.Key{"": webhook.Keys(g.b, webhook.NewSecret("p!aceholder"))}
		_, err := src.Open(r, []byte("{}"))
		if !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "aceholder") {
			t.Errorf("%s: Open = %v, want %q", name, err, want)
		}
	}
}

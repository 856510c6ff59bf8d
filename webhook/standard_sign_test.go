package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// standardSecret returns the n-th symmetric secret.
func standardSecret(n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "secret %02d", n))
}

func TestStandardWebhooksSignsWithEachKey(t *testing.T) {
	private := ed25519.NewKeyFromSeed(sha256Seed("a"))
	whsk := "whsk_" + base64.StdEncoding.EncodeToString(private.Seed())
	whpk := "whpk_" + base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	next, old := standardSecret(1), standardSecret(2)
	for _, test := range []struct {
		name     string
		secrets  []string
		versions []string
		accepted []string
	}{
		{"one key", []string{next}, []string{"v1"}, []string{next}},
		{"a new and an old one", []string{next, old}, []string{"v1", "v1"}, []string{next, old}},
		{"both versions", []string{whsk, old}, []string{"v1a", "v1"}, []string{whpk, old}},
		{"a public key cannot", []string{whpk, old}, []string{"v1"}, []string{old}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, body := httptest.NewRequest("POST", "/", nil), []byte(`{"a":1}`)
			if err := standardOf(test.secrets...).Sign(r, body); err != nil {
				t.Fatal(err)
			}
			var versions []string
			for item := range strings.FieldsSeq(r.Header.Get("Webhook-Signature")) {
				version, _, _ := strings.Cut(item, ",")
				versions = append(versions, version)
			}
			if diff := cmp.Diff(test.versions, versions); diff != "" {
				t.Errorf("signatures (-want +got):\n%s", diff)
			}
			for _, secret := range test.accepted {
				v := standardOf(secret)
				if err := v.Validate(); err != nil {
					t.Fatal(err)
				}
				if _, err := v.Verify(r, body); err != nil {
					t.Errorf("a receiver with one of the secrets refuses: %v", err)
				}
			}
		})
	}
}

func TestStandardWebhooksSignsWithAtMost16Keys(t *testing.T) {
	var secrets []string
	for n := range 17 {
		secrets = append(secrets, standardSecret(n))
	}
	public := "whpk_" + base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(sha256Seed("a")).Public().(ed25519.PublicKey))
	r := httptest.NewRequest("POST", "/", nil)
	if err := standardOf(append(secrets[:16:16], public)...).Sign(r, nil); err != nil {
		t.Fatalf("with 16 and a public key: %v", err)
	}
	v := standardOf(secrets[15])
	if err := v.Validate(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(r, nil); err != nil {
		t.Errorf("the last of 16: %v", err)
	}
	r = httptest.NewRequest("POST", "/", nil)
	if err := standardOf(secrets...).Sign(r, nil); err == nil || len(r.Header) > 0 {
		t.Errorf("with 17: %v, header %v, want an error and none", err, r.Header)
	}
}

func TestStandardWebhooksSignsWithTheKeysOfTheRequest(t *testing.T) {
	signer := &webhook.StandardWebhooks{KeysFunc: func() []webhook.Key {
		return webhook.Keys(webhook.NewSecret(standardSecret(1)), webhook.NewSecret("not base64!"))
	}}
	err := signer.Sign(httptest.NewRequest("POST", "/", nil), nil)
	if err == nil || !strings.Contains(err.Error(), "key 2") || strings.Contains(err.Error(), "base64!") {
		t.Errorf("with a bad key: %v, want an error that names the second and not the secret", err)
	}
}

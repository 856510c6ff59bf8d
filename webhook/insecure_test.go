package webhook_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestInsecureAcceptAll(t *testing.T) {
	src := webhook.Source{Name: "acme", Verifier: &webhook.InsecureAcceptAll{}}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := verifierRequest()
	if err := src.Verifier.(webhook.Signer).Sign(r, nil); err != nil || len(r.Header) != 0 {
		t.Errorf("Sign = %v and changed %v", err, r.Header)
	}
	if d, err := src.Open(r, []byte("x")); err != nil || d.KeyLabel != "" {
		t.Errorf("Open = %v, %v", d, err)
	}
}

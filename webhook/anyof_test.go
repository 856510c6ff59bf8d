package webhook_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func combineHMAC(header, label string) *webhook.HMAC {
	return &webhook.HMAC{Header: header, Keys: []webhook.Key{{Label: label, Secret: webhook.NewSecret(label)}}}
}

func TestAnyOf(t *testing.T) {
	a, b := combineHMAC("X-A", "a"), combineHMAC("X-B", "b")
	any := webhook.NewAnyOf(a, b)
	verifierValidate(t, any)
	for _, tt := range []struct {
		name    string
		signers []webhook.Signer
		label   string
	}{
		{"the first", []webhook.Signer{a}, "a"},
		{"the second", []webhook.Signer{b}, "b"},
		{"both", []webhook.Signer{a, b}, "a"},
		{"the first one forged, the second right", []webhook.Signer{combineHMAC("X-A", "forged"), b}, "b"},
		{"both forged", []webhook.Signer{combineHMAC("X-A", "forged"), combineHMAC("X-B", "forged")}, ""},
		{"none", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			for _, s := range tt.signers {
				if err := s.Sign(r, []byte("body")); err != nil {
					t.Fatal(err)
				}
			}
			if err := any.Admit(r); (err == nil) != (len(tt.signers) > 0) {
				t.Errorf("Admit = %v", err)
			}
			proof, err := any.Verify(r, []byte("body"))
			if proof.KeyLabel != tt.label || (err == nil) != (tt.label != "") || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v, %v, want label %q", proof, err, tt.label)
			}
		})
	}
}

func TestAllOf(t *testing.T) {
	a, b := combineHMAC("X-A", "a"), combineHMAC("X-B", "b")
	all := webhook.NewAllOf(&webhook.InsecureAcceptAll{}, a, b, standardOf(verifierWhsec))
	verifierValidate(t, all)
	r := httptest.NewRequest("POST", "/", nil)
	if err := all.Sign(r, []byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := all.Admit(r); err != nil {
		t.Error(err)
	}
	verifierValidate(t, a)
	first, err := a.Verify(r, []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := all.Verify(r, []byte("body"))
	want := webhook.Proof{KeyLabel: "a", ID: r.Header.Get("Webhook-Id"), Signature: first.Signature}
	if diff := cmp.Diff(want, proof); err != nil || diff != "" {
		t.Errorf("Verify: %v %s", err, diff)
	}
	for _, missing := range []string{"X-A", "X-B", "Webhook-Signature"} {
		less := httptest.NewRequest("POST", "/", nil)
		less.Header = r.Header.Clone()
		less.Header.Del(missing)
		if err := all.Admit(less); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("Admit without %s = %v, want ErrUnverified", missing, err)
		}
		if proof, err := all.Verify(less, []byte("body")); !errors.Is(err, webhook.ErrUnverified) || proof.KeyLabel != "" {
			t.Errorf("Verify without %s = %v, %v, want ErrUnverified and nothing else", missing, proof, err)
		}
	}
}

// A list that is changed after it was given away must not change what is accepted.
func TestAnyOfAndAllOfKeepTheirOwnList(t *testing.T) {
	list := []webhook.Verifier{&webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(webhook.NewSecret("secret"))}}
	any, all := webhook.NewAnyOf(list...), webhook.NewAllOf(list...)
	verifierValidate(t, any)
	verifierValidate(t, all)
	list[0] = &webhook.InsecureAcceptAll{}
	for name, v := range map[string]webhook.Verifier{"AnyOf": any, "AllOf": all} {
		if _, err := v.Verify(httptest.NewRequest("POST", "/", nil), nil); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s: Verify = %v, want ErrUnverified", name, err)
		}
	}
}

func TestAnyOfAndAllOfSign(t *testing.T) {
	cannot := verifierFunc(nil) // no Signer
	a := combineHMAC("X-A", "a")
	r := httptest.NewRequest("POST", "/", nil)
	if err := webhook.NewAnyOf(cannot, a).Sign(r, nil); err != nil || r.Header.Get("X-A") == "" {
		t.Errorf("AnyOf.Sign = %v, header %v: want the first that can", err, r.Header)
	}
	if err := webhook.NewAnyOf(cannot).Sign(r, nil); err == nil {
		t.Error("AnyOf of none that can signs")
	}
	if err := webhook.NewAllOf(a, cannot).Sign(r, nil); err == nil {
		t.Error("AllOf with one that cannot signs")
	}
	if err := webhook.NewAllOf(&webhook.HMAC{Header: "X-B"}).Sign(r, nil); err == nil {
		t.Error("AllOf with one without keys signs")
	}
}

func TestAnyOfAndAllOfCredentialHeaders(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret("k"))
	members := []webhook.Verifier{
		&webhook.Token{Header: "x-token", Keys: key},
		&webhook.BasicAuth{Keys: key},
		&webhook.Token{Header: "X-Token", Keys: key},
		&webhook.InsecureAcceptAll{},
	}
	want := []string{"Authorization", "X-Token"}
	for name, v := range map[string]webhook.CredentialCarrier{
		"AnyOf":  webhook.NewAnyOf(members...),
		"AllOf":  webhook.NewAllOf(members...),
		"nested": webhook.NewAnyOf(webhook.NewAllOf(members...)),
	} {
		if got := v.CredentialHeaders(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := webhook.NewAnyOf(&webhook.InsecureAcceptAll{}).Challenge(); got != "" {
		t.Errorf("a challenge %q from nowhere", got)
	}
}

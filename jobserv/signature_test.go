package jobserv_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the scheme that must be refused
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// vectorSignature is the signature of testdata/build.detailed.json with
// vectorSecret, and vectorBodyHash is the SHA-256 of the file.
const (
	vectorSecret    = "UseSomethingGoodHere"
	vectorBodyHash  = "36dee4c56b248641dc2f525162f37200d18184e555a50cbbf73514be4818bbe3"
	vectorSignature = "sha256:3894d3679d8556c2b83ea4980b429911704466d097d920f75d96b71cb5786a19"
)

func TestSignatureVector(t *testing.T) {
	body := fixture(t, "build.detailed.json")
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != vectorBodyHash {
		t.Fatal("testdata/build.detailed.json was changed")
	}
	secret := webhook.NewSecret(vectorSecret)
	if got := signatureOf(t, secret, body); got != vectorSignature {
		t.Errorf("got %s, want %s", got, vectorSignature)
	}
	src := source(t, secret)
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("X-JOBSERV-SIG", vectorSignature)
	d, err := src.Open(r, body)
	if err != nil {
		t.Fatal(err)
	}
	if d.KeyLabel != "1" {
		t.Errorf("got label %q, want 1", d.KeyLabel)
	}
}

func TestSignaturesInAnotherFormAreRefused(t *testing.T) {
	body := fixture(t, "build.detailed.json")
	digest := strings.TrimPrefix(vectorSignature, "sha256:")
	old := hmac.New(sha1.New, []byte(vectorSecret))
	old.Write([]byte("POST,1627322400,https://ci.example.com/hooks/jobserv"))
	internal := hex.EncodeToString(old.Sum(nil))
	for _, tc := range []struct {
		name   string
		values []string
	}{
		{"no header", nil},
		{"an empty header", []string{""}},
		{"the digest alone", []string{digest}},
		{"an equals sign, as GitHub sends", []string{"sha256=" + digest}},
		{"the prefix alone", []string{"sha256:"}},
		{"another case of the prefix", []string{"SHA256:" + digest}},
		{"a space after the prefix", []string{"sha256: " + digest}},
		{"a digest cut short", []string{vectorSignature[:len(vectorSignature)-2]}},
		{"a digest too long", []string{vectorSignature + "00"}},
		{"a letter that is not a hex digit", []string{vectorSignature[:len(vectorSignature)-1] + "g"}},
		{"a last digit that differs", []string{vectorSignature[:len(vectorSignature)-1] + "8"}},
		{"the internal scheme", []string{internal}},
		{"the internal scheme with a prefix", []string{"sha1:" + internal}},
		{"the internal digest as SHA-256", []string{"sha256:" + internal}},
		{"two headers, both right", []string{vectorSignature, vectorSignature}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/hooks/jobserv", nil)
			r.Header["X-Jobserv-Sig"] = tc.values
			r.Header.Set("X-Time", "1627322400")
			_, err := source(t, webhook.NewSecret(vectorSecret)).Open(r, body)
			if !errors.Is(err, webhook.ErrUnverified) {
				t.Fatalf("got %v, want ErrUnverified", err)
			}
			if strings.Contains(err.Error(), digest[:16]) || strings.Contains(err.Error(), vectorSecret) {
				t.Errorf("the error contains the signature or the secret: %v", err)
			}
		})
	}
}

func TestSecondSecretVerifies(t *testing.T) {
	body := fixture(t, "build.minimal.json")
	before, after := webhook.NewSecret("before"), webhook.NewSecret("after")
	src := source(t, after, before)
	r := webhooktest.NewRequest(jobserv.Source(before), "/", body)
	d, err := src.Open(r, body)
	if err != nil {
		t.Fatal(err)
	}
	if d.KeyLabel != "2" {
		t.Errorf("got label %q, want 2", d.KeyLabel)
	}
}

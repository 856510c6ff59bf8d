package webhook_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// ed25519Private returns the text of a reproducible private key.
func ed25519Private(seed byte) webhook.Secret {
	return webhook.NewSecret(hex.EncodeToString(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))))
}

// ed25519Public returns the text of its public key.
func ed25519Public(seed byte) webhook.Secret {
	raw, _ := hex.DecodeString(string(ed25519Private(seed).Reveal()))
	return webhook.NewSecret(hex.EncodeToString(raw[ed25519.SeedSize:]))
}

// discord returns the scheme of Discord with the given keys.
func discord(secrets ...webhook.Secret) *webhook.Ed25519 {
	return &webhook.Ed25519{
		Header:          "X-Signature-Ed25519",
		Signed:          "{timestamp}{body}",
		TimestampHeader: "X-Signature-Timestamp",
		Keys:            webhook.Keys(secrets...),
	}
}

func TestEd25519CoversTimeAndBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := []byte(`{"type":1}`)
		r := verifierRequest()
		if err := discord(ed25519Private(1)).Sign(r, body); err != nil {
			t.Fatal(err)
		}
		v := discord(ed25519Public(2), ed25519Public(1))
		verifierValidate(t, v)
		signature, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
		proof, err := v.Verify(r, body)
		if diff := cmp.Diff(webhook.Proof{KeyLabel: "2", Signature: signature}, proof); err != nil || diff != "" {
			t.Fatalf("Verify: %v %s", err, diff)
		}
		// The signed text of Discord, checked without our code.
		public, _ := hex.DecodeString(string(ed25519Public(1).Reveal()))
		if !ed25519.Verify(public, append([]byte(r.Header.Get("X-Signature-Timestamp")), body...), signature) {
			t.Error("the signature is not over timestamp and body")
		}
		first := r.Header.Get("X-Signature-Ed25519")
		for _, tt := range []struct {
			name   string
			change func(http.Header)
			body   string
		}{
			{"another body", func(http.Header) {}, `{"type":2}`},
			{"an empty body", func(http.Header) {}, ``},
			{"another time", func(h http.Header) { h.Set("X-Signature-Timestamp", "946684801") }, `{"type":1}`},
			{"no time", func(h http.Header) { h.Del("X-Signature-Timestamp") }, `{"type":1}`},
			{"a digit moved to the body", func(h http.Header) { h.Set("X-Signature-Timestamp", "94668480") }, `0{"type":1}`},
			{"no signature", func(h http.Header) { h.Del("X-Signature-Ed25519") }, `{"type":1}`},
			{"two signatures", func(h http.Header) { h.Add("X-Signature-Ed25519", first) }, `{"type":1}`},
			{"a short signature", func(h http.Header) { h.Set("X-Signature-Ed25519", first[:126]) }, `{"type":1}`},
			{"another signature", func(h http.Header) { h.Set("X-Signature-Ed25519", strings.Repeat("0", 128)) }, `{"type":1}`},
		} {
			other := r.Clone(t.Context())
			tt.change(other.Header)
			if _, err := v.Verify(other, []byte(tt.body)); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("%s: %v, want ErrUnverified", tt.name, err)
			}
		}
		time.Sleep(5*time.Minute + time.Second)
		if _, err := v.Verify(r, body); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("after the tolerance: %v, want ErrUnverified", err)
		}
	})
}

func TestEd25519Keys(t *testing.T) {
	private, _ := hex.DecodeString(string(ed25519Private(1).Reveal()))
	b64 := base64.StdEncoding.EncodeToString
	for name, tt := range map[string]struct {
		key   string
		fault string // empty: it is a key
	}{
		"public, in hex":             {string(ed25519Public(1).Reveal()), ""},
		"public, in upper-case hex":  {strings.ToUpper(string(ed25519Public(1).Reveal())), ""},
		"public, in base64":          {b64(private[32:]), ""},
		"private, in hex":            {hex.EncodeToString(private), ""},
		"private, in base64":         {b64(private), ""},
		"31 bytes":                   {hex.EncodeToString(private[33:]), "31 bytes"},
		"33 bytes":                   {b64(private[31:]), "33 bytes"},
		"empty":                      {"", "empty"},
		"a private key of two pairs": {hex.EncodeToString(append(private[:32:32], private[:32]...)), "its own public key"},
		"neither hex nor base64":     {"not-a-key", "hex or Base64"},
		"a newline at the end":       {hex.EncodeToString(private[32:]) + "\n", "white space"},
		"zeros":                      {strings.Repeat("0", 64), "low order"},
	} {
		t.Run(name, func(t *testing.T) {
			v := discord(webhook.NewSecret(tt.key))
			err := v.Validate()
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("Validate = %v, want %q", err, tt.fault)
				}
				if tt.key != "" && strings.Contains(err.Error(), tt.key) {
					t.Fatal("the error shows the key")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := verifierRequest()
			if err := discord(ed25519Private(1)).Sign(r, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			if _, err := v.Verify(r, []byte("{}")); err != nil {
				t.Error(err)
			}
			err = v.Sign(verifierRequest(), nil)
			isPublic := strings.HasPrefix(name, "public")
			if (err != nil) != isPublic || isPublic && !strings.Contains(err.Error(), "public key, which verifies only") {
				t.Errorf("Sign = %v", err)
			}
		})
	}
}

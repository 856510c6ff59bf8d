package webhook_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

type hmacVector struct{ Name, Header, Prefix, Secret, Body, Signature string }

func hmacVectors(t testing.TB) []hmacVector {
	t.Helper()
	var vectors []hmacVector
	text, err := os.ReadFile("testdata/hmac.json")
	if err == nil {
		err = json.Unmarshal(text, &vectors)
	}
	if err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors: %v", len(vectors), err)
	}
	return vectors
}

func (v hmacVector) verifier() *webhook.HMAC {
	return &webhook.HMAC{Header: v.Header, Prefix: v.Prefix, Keys: webhook.Keys(webhook.NewSecret(v.Secret))}
}

func TestHMACVectors(t *testing.T) {
	for _, v := range hmacVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			m := v.verifier()
			verifierValidate(t, m)
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set(v.Header, v.Signature)
			if err := m.Admit(r); err != nil {
				t.Error(err)
			}
			mac, _ := hex.DecodeString(strings.TrimPrefix(v.Signature, v.Prefix))
			proof, err := m.Verify(r, []byte(v.Body))
			if diff := cmp.Diff(webhook.Proof{KeyLabel: "1", Signature: mac}, proof); err != nil || diff != "" {
				t.Errorf("Verify: %v %s", err, diff)
			}
			if _, err := m.Verify(r, []byte(v.Body+" ")); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("a longer body: %v, want ErrUnverified", err)
			}
			signed := httptest.NewRequest("POST", "/", nil)
			if err := m.Sign(signed, []byte(v.Body)); err != nil || signed.Header.Get(v.Header) != v.Signature {
				t.Errorf("Sign = %q, %v, want %q", signed.Header.Get(v.Header), err, v.Signature)
			}
		})
	}
}

// sharedFixture returns a file of the fixtures next to the repository, if they
// exist: in the nearest parent folder with shared/fixtures.
func sharedFixture(t testing.TB, name string) ([]byte, bool) {
	t.Helper()
	for dir := ".."; len(dir) < 30; dir = filepath.Join("..", dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "shared", "fixtures", name)); err == nil {
			return text, true
		}
	}
	return nil, false
}

func TestHMACSharedJobServVector(t *testing.T) {
	vectors := hmacVectors(t)[2:3] // our own, in the same format
	if text, ok := sharedFixture(t, "signature-vectors.json"); ok {
		var shared struct {
			JobServ struct {
				Secret    string `json:"secret"`
				File      string `json:"body_file"`
				Signature string `json:"x_jobserv_sig"`
			} `json:"jobserv_computed_here"`
		}
		if err := json.Unmarshal(text, &shared); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(shared.JobServ.File, " ")
		body, ok := sharedFixture(t, name)
		if !ok {
			t.Fatalf("%s is not there", name)
		}
		vectors = append(vectors, hmacVector{Header: "X-JobServ-Sig", Prefix: "sha256:", Secret: shared.JobServ.Secret, Body: string(body), Signature: shared.JobServ.Signature})
	}
	t.Logf("%d of them from the shared fixtures", len(vectors)-1)
	for _, v := range vectors {
		m := v.verifier()
		verifierValidate(t, m)
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set(v.Header, v.Signature)
		if _, err := m.Verify(r, []byte(v.Body)); err != nil {
			t.Error(err)
		}
	}
}

func TestHMACSpellings(t *testing.T) {
	v := hmacVectors(t)[0]
	digest := strings.TrimPrefix(v.Signature, v.Prefix)
	tests := []struct {
		name   string
		values []string
		want   bool
	}{
		{"as published", []string{v.Signature}, true},
		{"in upper case", []string{v.Prefix + strings.ToUpper(digest)}, true},
		{"in mixed case", []string{v.Prefix + strings.ToUpper(digest[:9]) + digest[9:]}, true},
		{"missing", nil, false},
		{"empty", []string{""}, false},
		{"only the prefix", []string{v.Prefix}, false},
		{"without the prefix", []string{digest}, false},
		{"with the prefix in upper case", []string{"SHA256=" + digest}, false},
		{"with JobServ's separator", []string{"sha256:" + digest}, false},
		{"of another digest's length", []string{v.Prefix + digest[:40]}, false},
		{"one digit short", []string{v.Prefix + digest[:63]}, false},
		{"one digit long", []string{v.Prefix + digest + "0"}, false},
		{"twice as long", []string{v.Prefix + digest + digest}, false},
		{"very long", []string{v.Prefix + strings.Repeat(digest, 1000)}, false},
		{"not hexadecimal", []string{v.Prefix + "g" + digest[1:]}, false},
		{"with a space before", []string{" " + v.Signature}, false},
		{"with a space after", []string{v.Signature + " "}, false},
		{"with NUL", []string{v.Prefix + "\x00" + digest[1:]}, false},
		{"in wide digits", []string{v.Prefix + strings.Repeat("７", 21) + "7"}, false},
		{"in base64", []string{v.Prefix + "dXEH6g6yUJ/CESIcziSLqFG0NwiQt0WCQ9rmNe9/CYo="}, false},
		{"another one", []string{v.Prefix + "0" + digest[1:]}, false},
		{"all zero", []string{v.Prefix + strings.Repeat("0", 64)}, false},
		{"there twice", []string{v.Signature, v.Signature}, false},
		{"there twice, the second wrong", []string{v.Signature, v.Prefix + strings.Repeat("0", 64)}, false},
		{"as a list", []string{v.Signature + ", " + v.Signature}, false},
	}
	m := v.verifier()
	verifierValidate(t, m)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header[m.Header] = tt.values
			_, err := m.Verify(r, []byte(v.Body))
			if tt.want != (err == nil) || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v, want accepted: %v", err, tt.want)
			}
		})
	}
}

func TestHMACOfOtherKinds(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret("k"))
	for name, m := range map[string]*webhook.HMAC{
		"SHA-1":             {Header: "X-Hub-Signature", Prefix: "sha1=", Hash: sha1.New, Keys: key},
		"SHA-512":           {Header: "X-Sig", Hash: sha512.New, Keys: key},
		"SHA-512 in base64": {Header: "X-Sig", Hash: sha512.New, Encoding: webhook.Base64, Keys: key},
		"base64":            {Header: "x-shop-hmac", Encoding: webhook.Base64, Keys: key},
		"SHA-384 in base64": {Header: "X-Sig", Hash: func() hash.Hash { return sha512.New384() }, Encoding: webhook.Base64, Keys: key},
	} {
		t.Run(name, func(t *testing.T) {
			verifierValidate(t, m)
			r := httptest.NewRequest("POST", "/", nil)
			if err := m.Sign(r, []byte("body")); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Verify(r, []byte("body")); err != nil {
				t.Error(err)
			}
			if _, err := m.Verify(r, []byte("Body")); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("another body: %v, want ErrUnverified", err)
			}
			sig := r.Header.Get(m.Header)
			for _, bad := range []string{sig[:len(sig)-1], sig[1:], sig + "=", "\n" + sig[1:]} {
				r.Header.Set(m.Header, bad)
				if err := m.Admit(r); !errors.Is(err, webhook.ErrUnverified) {
					t.Errorf("Admit of %q = %v, want ErrUnverified", bad, err)
				}
			}
			// As long as a digest, unlike base64 without padding.
			for _, padding := range []string{"", "=", "=="} {
				bad := strings.Repeat("A", len(sig)-len(padding)) + padding
				r.Header.Set(m.Header, bad)
				if _, err := m.Verify(r, []byte("body")); !errors.Is(err, webhook.ErrUnverified) {
					t.Errorf("Verify of %q = %v, want ErrUnverified", bad, err)
				}
			}
		})
	}
}

func TestHMACRotation(t *testing.T) {
	old, next := webhook.Key{Label: "2025", Secret: webhook.NewSecret("old")}, webhook.Key{Label: "2026", Secret: webhook.NewSecret("next")}
	live := []webhook.Key{old}
	m := &webhook.HMAC{Header: "X-Sig", KeysFunc: func() []webhook.Key { return live }}
	verifierValidate(t, m)
	label := func(k webhook.Key) string {
		r := httptest.NewRequest("POST", "/", nil)
		if err := (&webhook.HMAC{Header: "X-Sig", Keys: []webhook.Key{k}}).Sign(r, []byte("body")); err != nil {
			t.Fatal(err)
		}
		proof, err := m.Verify(r, []byte("body"))
		if err != nil && !errors.Is(err, webhook.ErrUnverified) {
			t.Fatal(err)
		}
		return proof.KeyLabel
	}
	for _, step := range []struct {
		name      string
		live      []webhook.Key
		old, next string
	}{
		{"only the old one", []webhook.Key{old}, "2025", ""},
		{"both", []webhook.Key{next, old}, "2025", "2026"},
		{"only the next one", []webhook.Key{next}, "", "2026"},
		{"an empty one beside", []webhook.Key{{Label: "none"}, next}, "", "2026"},
		{"an empty one alone", []webhook.Key{{Label: "none"}}, "", ""},
		{"none", nil, "", ""},
		{"the old one again", []webhook.Key{old}, "2025", ""},
	} {
		live = step.live
		if gotOld, gotNext := label(old), label(next); gotOld != step.old || gotNext != step.next {
			t.Errorf("%s: old matches %q and next %q, want %q and %q", step.name, gotOld, gotNext, step.old, step.next)
		}
	}
}

// Keys change while requests are verified. The key that remains always
// matches.
func TestHMACRotationUnderLoad(t *testing.T) {
	stays := webhook.Key{Label: "stays", Secret: webhook.NewSecret("stays")}
	var live atomic.Pointer[[]webhook.Key]
	live.Store(&[]webhook.Key{stays})
	m := &webhook.HMAC{Header: "X-Sig", KeysFunc: func() []webhook.Key { return *live.Load() }}
	verifierValidate(t, m)
	body := bytes.Repeat([]byte("x"), 1000)
	r := httptest.NewRequest("POST", "/", nil)
	if err := m.Sign(r, body); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var rotating, verifying sync.WaitGroup
	rotating.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				other := webhook.Key{Label: "other", Secret: webhook.NewSecret(strings.Repeat("o", 1+i%7))}
				live.Store(&[]webhook.Key{other, stays})
			}
		}
	})
	for range 4 {
		verifying.Go(func() {
			for range 500 {
				if p, err := m.Verify(r, body); err != nil || p.KeyLabel != "stays" {
					t.Errorf("Verify = %v, %v", p, err)
					return
				}
			}
		})
	}
	verifying.Wait()
	close(stop)
	rotating.Wait()
}

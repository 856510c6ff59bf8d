package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const verifierWhsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// verifierKinds returns a usable literal of each kind, never validated.
func verifierKinds() map[string]webhook.Verifier {
	key := webhook.Keys(webhook.NewSecret("k"))
	hmac := func() *webhook.HMAC { return &webhook.HMAC{Header: "X-Sig", Prefix: "sha256=", Keys: key} }
	return map[string]webhook.Verifier{
		"HMAC":                &webhook.HMAC{Header: "X-Sig", Keys: key},
		"HMAC with a func":    &webhook.HMAC{Header: "X-Sig", KeysFunc: func() []webhook.Key { return key }},
		"Token in the path":   &webhook.Token{PathValue: "token", Keys: key},
		"Token in the query":  &webhook.Token{Query: "token", Keys: key},
		"Token in a header":   &webhook.Token{Header: "X-Token", Keys: key},
		"BasicAuth":           &webhook.BasicAuth{Keys: key},
		"StandardWebhooks":    &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(verifierWhsec))},
		"IPAllowList":         &webhook.IPAllowList{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		"AnyOf":               webhook.NewAnyOf(hmac()),
		"AllOf":               webhook.NewAllOf(hmac()),
		"HMAC of more":        verifierOfMore(key),
		"HMAC of items":       &webhook.HMAC{Header: "X-Sig", Items: webhook.Items{Time: "t", Signature: "v1"}, Signed: "{timestamp}.{body}", Keys: key},
		"Ed25519":             &webhook.Ed25519{Header: "X-Sig", Keys: webhook.Keys(ed25519Private(1))},
		"Twilio":              &webhook.Twilio{URL: "https://example.com/hook", Keys: key},
		"AllOf of two places": webhook.NewAllOf(hmac(), &webhook.Token{Query: "token", Keys: key}),
	}
}

func verifierRequest() *http.Request {
	return httptest.NewRequest("POST", "/hooks/{token}", nil)
}

func verifierValidate(t testing.TB, v webhook.Verifier) {
	t.Helper()
	if err := v.(interface{ Validate() error }).Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestPromise7_ALiteralThatWasNeverValidatedRefusesEverything(t *testing.T) {
	for name, v := range verifierKinds() {
		t.Run(name, func(t *testing.T) {
			r := verifierRequest()
			if err := v.(webhook.Signer).Sign(r, []byte("body")); err != nil {
				t.Fatal(err)
			}
			if err := v.Admit(r); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Admit = %v, want ErrUnverified", err)
			}
			if _, err := v.Verify(r, []byte("body")); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v, want ErrUnverified", err)
			}
			_, err := webhook.Source{Name: "acme", Verifier: v}.Open(r, []byte("body"))
			if webhook.StatusCode(err) != http.StatusUnauthorized {
				t.Errorf("Open = %v, want 401", err)
			}
			verifierValidate(t, v)
			if err := v.Admit(r); err != nil {
				t.Errorf("Admit after Validate = %v", err)
			}
			if _, err := v.Verify(r, []byte("body")); err != nil {
				t.Errorf("Verify after Validate = %v", err)
			}
		})
	}
}

func TestPromise7_EveryKindRefusesARequestWithoutProof(t *testing.T) {
	for name, v := range verifierKinds() {
		t.Run(name, func(t *testing.T) {
			verifierValidate(t, v)
			r := verifierRequest()
			r.RemoteAddr = "203.0.113.1:1"
			if err := v.Admit(r); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Admit = %v, want ErrUnverified", err)
			}
			if _, err := v.Verify(r, nil); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v, want ErrUnverified", err)
			}
		})
	}
}

func TestPromise7_ValidateRefusesWhatWouldLetAStrangerIn(t *testing.T) {
	empty := webhook.Keys(webhook.NewSecret(""))
	second := webhook.Keys(webhook.NewSecret("k"), webhook.Secret{})
	key := webhook.Keys(webhook.NewSecret("k"))
	none := func() []webhook.Key { return nil }
	standard := func(secret string) webhook.Verifier {
		return &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(secret))}
	}
	b64 := base64.StdEncoding.EncodeToString
	seed := make([]byte, ed25519.SeedSize)
	wrongPair := append(append([]byte{}, seed...), seed...)
	checksum := func() hash.Hash { return crc32.NewIEEE() }
	var nilHMAC *webhook.HMAC
	for name, v := range map[string]webhook.Verifier{
		"HMAC without keys":                 &webhook.HMAC{Header: "X-Sig"},
		"HMAC with an empty secret":         &webhook.HMAC{Header: "X-Sig", Keys: empty},
		"HMAC with a second, empty secret":  &webhook.HMAC{Header: "X-Sig", Keys: second},
		"HMAC whose func has no keys":       &webhook.HMAC{Header: "X-Sig", Keys: key, KeysFunc: none},
		"HMAC without a header":             &webhook.HMAC{Keys: key},
		"HMAC of a checksum":                &webhook.HMAC{Header: "X-Sig", Keys: key, Hash: checksum},
		"Token without keys":                &webhook.Token{Query: "t"},
		"Token with an empty secret":        &webhook.Token{Query: "t", Keys: empty},
		"Token without a place":             &webhook.Token{Keys: key},
		"Token with two places":             &webhook.Token{Keys: key, Query: "t", Header: "T"},
		"BasicAuth without keys":            &webhook.BasicAuth{},
		"BasicAuth with an empty secret":    &webhook.BasicAuth{Keys: second},
		"BasicAuth with a colon in User":    &webhook.BasicAuth{User: "a:b", Keys: key},
		"IPAllowList without prefixes":      &webhook.IPAllowList{},
		"IPAllowList with a zero prefix":    &webhook.IPAllowList{Prefixes: []netip.Prefix{{}}},
		"IPAllowList whose func has none":   &webhook.IPAllowList{PrefixesFunc: func() []netip.Prefix { return nil }},
		"AnyOf nothing":                     webhook.NewAnyOf(),
		"AnyOf of the zero value":           &webhook.AnyOf{},
		"AnyOf nil":                         webhook.NewAnyOf(nil),
		"AnyOf a nil pointer":               webhook.NewAnyOf(nilHMAC),
		"AnyOf a bad one":                   webhook.NewAnyOf(&webhook.InsecureAcceptAll{}, &webhook.HMAC{}),
		"AllOf nothing":                     webhook.NewAllOf(),
		"AllOf of the zero value":           &webhook.AllOf{},
		"AllOf nil":                         webhook.NewAllOf(&webhook.InsecureAcceptAll{}, nil),
		"AllOf with a vacuous AllOf inside": webhook.NewAllOf(webhook.NewAllOf()),
		"AllOf a bad one":                   webhook.NewAllOf(&webhook.Token{}),
		"Standard without keys":             &webhook.StandardWebhooks{},
		"Standard with an empty secret":     standard(""),
		"Standard with only the prefix":     standard("whsec_"),
		"Standard that is not base64":       standard("whsec_***"),
		"Standard, a short public key":      standard("whpk_" + b64(seed[:31])),
		"Standard, a short private key":     standard("whsk_" + b64(seed[:31])),
		"Standard, halves of two pairs":     standard("whsk_" + b64(wrongPair)),
		"Standard, negative tolerance":      &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(verifierWhsec)), Tolerance: -time.Second},
		"nothing":                           nil,
		"a nil pointer":                     nilHMAC,
	} {
		t.Run(name, func(t *testing.T) {
			src := webhook.Source{Name: "acme", Verifier: v}
			if err := src.Validate(); err == nil || !strings.HasPrefix(err.Error(), "webhook: ") {
				t.Errorf("Validate = %v, want a refusal", err)
			}
			verifierPanics(t, "NewReceiver", func() {
				webhook.NewReceiver(src, webhook.HandlerFunc(nil))
			})
			verifierPanics(t, "Middleware", func() { src.Middleware(http.NotFoundHandler()) })
			if v == nil || v == webhook.Verifier(nilHMAC) {
				return
			}
			if _, err := src.Open(verifierRequest(), nil); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Open of the refused Source = %v, want ErrUnverified", err)
			}
		})
	}
}

func verifierPanics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", name)
		}
	}()
	f()
}

// Two Receivers may share a verifier. The second validates it while the first
// serves.
func TestValidateWhileServing(t *testing.T) {
	for name, v := range verifierKinds() {
		t.Run(name, func(t *testing.T) {
			verifierValidate(t, v)
			r := verifierRequest()
			if err := v.(webhook.Signer).Sign(r, nil); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			both.Go(func() {
				for range 20 {
					verifierValidate(t, v)
				}
			})
			both.Go(func() {
				for range 20 {
					if _, err := v.Verify(r, nil); err != nil {
						t.Error(err)
					}
				}
			})
			both.Wait()
		})
	}
}

// verifierFunc is a verifier of a user's own.
type verifierFunc func(*http.Request, []byte) (webhook.Proof, error)

func (f verifierFunc) Admit(*http.Request) error { return nil }
func (f verifierFunc) Verify(r *http.Request, body []byte) (webhook.Proof, error) {
	return f(r, body)
}

// admitFunc is a verifier whose Admit is the func.
type admitFunc func(*http.Request) error

func (f admitFunc) Admit(r *http.Request) error                               { return f(r) }
func (f admitFunc) Verify(*http.Request, []byte) (p webhook.Proof, err error) { return p, nil }

func TestPromise7_NoErrorOfAVerifierBecomesSuccess(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{io.EOF, 401},
		{webhook.ErrUnverified, 401},
		{webhook.ErrDuplicate, 401},
		{webhook.ErrIgnored, 401},
		{fmt.Errorf("x: %w", webhook.ErrNoHandler), 401},
		{errors.Join(webhook.ErrUnverified, webhook.ErrDuplicate), 401},
		{webhook.RetryAfter(time.Second, errors.New("the vault is away")), 503},
	} {
		for name, v := range map[string]webhook.Verifier{
			"Verify": verifierFunc(func(*http.Request, []byte) (webhook.Proof, error) { return webhook.Proof{}, tt.err }),
			"Admit":  admitFunc(func(*http.Request) error { return tt.err }),
		} {
			rc := webhook.NewReceiver(webhook.Source{Name: "acme", Verifier: v}, recvMustNotRun(t))
			rc.Logger, _ = recvLogger()
			w := httptest.NewRecorder()
			rc.ServeHTTP(w, verifierRequest())
			if w.Code != tt.want {
				t.Errorf("%s that fails with %q is answered %d, want %d", name, tt.err, w.Code, tt.want)
			}
		}
	}
}

package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// The URL of the request makes a hint and nothing else.
func TestURLOfTheRequestIsNeverUsed(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret("k"))
	for name, v := range map[string]func(url string) webhook.Verifier{
		"HMAC": func(url string) webhook.Verifier {
			return &webhook.HMAC{Header: "X-Sig", Signed: "{url}{body}", URL: url, Keys: key}
		},
		"Ed25519": func(url string) webhook.Verifier {
			return &webhook.Ed25519{Header: "X-Sig", Signed: "{url}{body}", URL: url, Keys: webhook.Keys(ed25519Private(1))}
		},
		"Twilio": func(url string) webhook.Verifier { return &webhook.Twilio{URL: url, Keys: key} },
	} {
		r := httptest.NewRequest("POST", "https://attacker.example/hooks?a=1", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := v("https://attacker.example/hooks?a=1").(webhook.Signer).Sign(r, []byte("a=b")); err != nil {
			t.Fatal(err)
		}
		registered := v("https://example.com/hooks?secret=1")
		verifierValidate(t, registered)
		_, err := registered.Verify(r, []byte("a=b"))
		if !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), "URL is not what the sender has") {
			t.Errorf("%s: %v, want the hint", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "?") {
			t.Errorf("%s: the reason shows a URL: %v", name, err)
		}
		if _, err := registered.Verify(r, []byte("a=c")); !errors.Is(err, webhook.ErrUnverified) || strings.Contains(err.Error(), "URL is not") {
			t.Errorf("%s, another body: %v, want no hint of the URL", name, err)
		}
	}
}

func TestURLFunc(t *testing.T) {
	var url string
	var failure error
	m := ofTemplate("{url}{body}")
	m.URL = ""
	m.URLFunc = func(r *http.Request) (string, error) { return url + r.PathValue("tenant"), failure }
	verifierValidate(t, m)
	r := verifierRequest()
	r.SetPathValue("tenant", "a")
	url = "https://example.com/"
	if err := m.Sign(r, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Verify(r, nil); err != nil {
		t.Error(err)
	}
	r.SetPathValue("tenant", "b")
	if _, err := m.Verify(r, nil); !errors.Is(err, webhook.ErrUnverified) {
		t.Errorf("the URL of another tenant: %v, want ErrUnverified", err)
	}
	url = ""
	r.SetPathValue("tenant", "")
	if _, err := m.Verify(r, nil); !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), "URLFunc returned no URL") {
		t.Errorf("no URL: %v, want ErrUnverified", err)
	}
	failure = errors.New("the table is away")
	if _, err := m.Verify(r, nil); webhook.StatusCode(err) != http.StatusServiceUnavailable {
		t.Errorf("a failure: %v, want 503", err)
	}
}

// Why the comment of URLFunc asks for URLs that are neither the beginning nor the end of
// each other if their tenants have one key.
func TestURLsOfTenantsWithOneKeyMustNotOverlap(t *testing.T) {
	for _, tt := range []struct{ signed, url, body, otherURL, otherBody string }{
		{"{url}{body}", "https://a.example/x", "y", "https://a.example/", "xy"},
		{"{url}/{body}", "https://a.example/x", "y", "https://a.example", "x/y"}, // a literal is no help
		{"{body}{url}", "https://b.example/?to=https://a.example/", "y", "https://a.example/", "yhttps://b.example/?to="},
	} {
		url := tt.url
		m := &webhook.HMAC{
			Header:  "X-Sig",
			Signed:  tt.signed,
			URLFunc: func(*http.Request) (string, error) { return url, nil },
			Keys:    webhook.Keys(webhook.NewSecret("k")),
		}
		verifierValidate(t, m)
		r := verifierRequest()
		if err := m.Sign(r, []byte(tt.body)); err != nil {
			t.Fatal(err)
		}
		url = tt.otherURL
		if _, err := m.Verify(r, []byte(tt.otherBody)); err != nil {
			t.Errorf("%s: %v: the comment asks for more than is needed", tt.signed, err)
		}
	}
}

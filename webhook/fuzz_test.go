package webhook_test

import (
	"bytes"
	"crypto/sha512"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

// fuzzSigned returns a request signed by s.
func fuzzSigned(t *testing.T, s webhook.Signer, body []byte) *http.Request {
	t.Helper()
	r := httptest.NewRequest("POST", "/hooks/{token}", nil)
	if err := s.Sign(r, body); err != nil {
		t.Fatal(err)
	}
	return r
}

// fuzzSignature checks a verifier that signs bodies: the original verifies, and
// neither another body nor another header value does.
func fuzzSignature(t *testing.T, v webhook.Verifier, header string, body, other []byte, value string, same func(value, right string) bool) {
	t.Helper()
	r := fuzzSigned(t, v.(webhook.Signer), body)
	if err := v.Admit(r); err != nil {
		t.Fatalf("the original is not admitted: %v", err)
	}
	if _, err := v.Verify(r, body); err != nil {
		t.Fatalf("the original does not verify: %v", err)
	}
	if _, err := v.Verify(r, other); (err == nil) != bytes.Equal(body, other) {
		t.Fatalf("%q, signed as %q: %v", other, body, err)
	}
	right := r.Header.Get(header)
	r.Header[header] = []string{value}
	_, err := v.Verify(r, body)
	if (err == nil) != same(value, right) {
		t.Fatalf("%s %q in place of %q: %v", header, value, right, err)
	}
	if err == nil && v.Admit(r) != nil {
		t.Fatalf("%q verifies but is not admitted", value)
	}
}

func FuzzHMAC(f *testing.F) {
	f.Add([]byte("Hello, World!"), []byte("Hello, World?"), "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "k", false)
	f.Add([]byte(""), []byte("\x00"), "sha256:", "It's a Secret to Everybody", true)
	f.Add([]byte("{}"), []byte("{} "), "sha256="+strings.Repeat("0", 64), "\x00", false)
	f.Add([]byte("{}"), []byte("{} "), "sha256="+strings.Repeat("A", 88), "\x00", true)
	f.Fuzz(func(t *testing.T, body, other []byte, value, secret string, base64 bool) {
		m := &webhook.HMAC{Header: "X-Sig", Prefix: "sha256=", Keys: webhook.Keys(webhook.NewSecret(secret))}
		if base64 {
			m.Encoding = webhook.Base64
		}
		if len(value) > 64+len("sha256=") {
			m.Hash = sha512.New
		}
		if err := m.Validate(); (err != nil) != (secret == "") {
			t.Fatalf("Validate of secret %q: %v", secret, err)
		} else if err != nil {
			return
		}
		fuzzSignature(t, m, "X-Sig", body, other, value, func(value, right string) bool {
			digest, ok := strings.CutPrefix(value, m.Prefix)
			lower := strings.Map(func(c rune) rune { // ASCII only
				if c >= 'A' && c <= 'F' {
					c += 'a' - 'A'
				}
				return c
			}, digest)
			return value == right || ok && !base64 && m.Prefix+lower == right
		})
	})
}

func FuzzStandardWebhooks(f *testing.F) {
	f.Add([]byte(`{"test": 2432232314}`), []byte("{}"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "msg_1", verifierWhsec)
	f.Add([]byte(""), []byte("."), "v1a, v1 ,", "a.b", "whsk_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	f.Add([]byte("a.b"), []byte("b"), "v2,AAAA v1,AAAA", "1.", "whsec_")
	f.Fuzz(func(t *testing.T, body, other []byte, value, id, secret string) {
		s := &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(secret))}
		if s.Validate() != nil || strings.HasPrefix(secret, "whpk_") {
			s = standardOf(verifierWhsec)
			verifierValidate(t, s)
		}
		if len(strings.Fields(value)) > 16 {
			return // another test checks how many of them count
		}
		fuzzSignature(t, s, "Webhook-Signature", body, other, value, func(value, right string) bool {
			return slices.Contains(strings.Fields(value), right)
		})
		r := fuzzSigned(t, s, body)
		right := r.Header.Get("Webhook-Id")
		r.Header.Set("Webhook-Id", id)
		if _, err := s.Verify(r, body); err == nil && id != right {
			t.Fatalf("id %q verifies in place of %q", id, right)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add("secret", "secret", "token=secret")
	f.Add("a b", "a+b", "token=a+b&token=a+b")
	f.Add("%", "", "token=%25;token=x")
	f.Fuzz(func(t *testing.T, secret, given, query string) {
		keys := webhook.Keys(webhook.NewSecret(secret))
		for _, v := range []*webhook.Token{
			{PathValue: "token", Keys: keys},
			{Query: "token", Keys: keys},
			{Header: "X-Token", Prefix: "Bearer ", Keys: keys},
		} {
			if err := v.Validate(); (err != nil) != (secret == "") {
				t.Fatalf("Validate of secret %q: %v", secret, err)
			} else if err != nil {
				return
			}
			r := fuzzSigned(t, v, nil)
			if _, err := v.Verify(r, nil); err != nil {
				t.Fatalf("the original does not verify: %v", err)
			}
			r = httptest.NewRequest("POST", "/", nil)
			r.SetPathValue("token", given)
			r.URL.RawQuery = query
			r.Header["X-Token"] = []string{"Bearer " + given}
			want := given == secret
			if v.Query != "" {
				values, _ := url.ParseQuery(query)
				want = len(values["token"]) == 1 && values["token"][0] == secret
			}
			if _, err := v.Verify(r, nil); (err == nil) != want {
				t.Fatalf("secret %q, given %q and %q: %v", secret, given, query, err)
			}
		}
	})
}

func FuzzBasicAuth(f *testing.F) {
	f.Add("secret", "user", "Basic dXNlcjpzZWNyZXQ=")
	f.Add("a:b", "", "Basic OmE6Yg==")
	f.Add("x", "é", "basic")
	f.Fuzz(func(t *testing.T, secret, user, header string) {
		v := &webhook.BasicAuth{User: user, Keys: webhook.Keys(webhook.NewSecret(secret))}
		if err := v.Validate(); (err != nil) != (secret == "" || strings.Contains(user, ":")) {
			t.Fatalf("Validate of %q and %q: %v", user, secret, err)
		} else if err != nil {
			return
		}
		if _, err := v.Verify(fuzzSigned(t, v, nil), nil); err != nil {
			t.Fatalf("the original does not verify: %v", err)
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", header)
		name, password, ok := r.BasicAuth()
		want := ok && password == secret && (user == "" || name == user)
		if _, err := v.Verify(r, nil); (err == nil) != want {
			t.Fatalf("user %q, secret %q, header %q: %v", user, secret, header, err)
		}
	})
}

func FuzzForm(f *testing.F) {
	for _, body := range []string{
		"payload=%7B%7D", "a=b&payload=x+y", "payload=1&payload=2", "payload=%", "payload=%7", "p%61yload=1",
		"payload", "=payload", "&&", "a;b=1&payload=2", "payload=a=b", "{}", " [", "payload=%ff%00",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := formDelivery(formType, string(body))
		got, err := d.Document()
		if err != nil && webhook.StatusCode(err) != http.StatusBadRequest {
			t.Fatalf("%v is not malformed", err)
		}
		if !bytes.Equal(d.Body, body) {
			t.Fatal("Document changed the body")
		}
		formAgrees(t, formType, string(body))
		again, _ := formDelivery(formType, "x=1&payload="+url.QueryEscape(string(body))).Document()
		if !bytes.Equal(again, body) {
			t.Fatalf("escaped and read again, %q became %q", body, again)
		}
		_ = got
	})
}

// Whatever names the sender uses, an authentic request becomes a delivery that
// every database stores, and an altered request becomes none.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("{}"), []byte("[]"), "id", "push", "key", "application/json")
	f.Add([]byte(""), []byte("x"), "\xff", strings.Repeat("é", 200), "a\x00", formType)
	f.Fuzz(func(t *testing.T, body, other []byte, id, event, key, contentType string) {
		src := recvSource()
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		r := fuzzSigned(t, src.Verifier.(webhook.Signer), body)
		r.Header["X-Delivery"], r.Header["X-Event"], r.Header["X-Key"] = []string{id}, []string{event}, []string{key}
		r.Header["Content-Type"] = []string{contentType}
		d, err := src.Open(r, body)
		if err != nil {
			t.Fatalf("an authentic call is refused: %v", err)
		}
		if !bytes.Equal(d.Body, body) || d.UID == "" || d.Type == "" {
			t.Fatalf("not what came: %v", d)
		}
		for _, s := range append([]string{d.ID, d.Type, d.OrderingKey}, d.DedupKeys...) {
			if len(s) > 255 || !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Fatalf("%q is not fit to be stored", s)
			}
		}
		_, _ = webhook.Decode[mwPush](d) // must not panic
		if _, err := src.Open(r, other); (err == nil) != bytes.Equal(body, other) {
			t.Fatalf("%q, signed as %q: %v", other, body, err)
		}
	})
}

package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

const secretText = "s3cr3t-material-of-the-test"

// secretHolders returns values that contain a Secret.
func secretHolders() map[string]any {
	s := webhook.NewSecret(secretText)
	type open struct{ Secret webhook.Secret }
	type hidden struct{ secret webhook.Secret }
	type deep struct{ inner *hidden }
	return map[string]any{
		"a secret":                        s,
		"a pointer":                       &s,
		"a slice":                         []webhook.Secret{s},
		"a map":                           map[string]webhook.Secret{"k": s},
		"a key of a map":                  map[webhook.Secret]int{s: 1},
		"an exported field":               open{s},
		"an unexported field":             hidden{s},
		"a pointer to an unexported one":  &hidden{s},
		"a pointer inside":                deep{&hidden{s}},
		"a key":                           webhook.Keys(s),
		"a verifier":                      &webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(s)},
		"a source":                        webhook.Source{Name: "acme", Verifier: &webhook.Token{Query: "t", Keys: webhook.Keys(s)}},
		"an error that was made with one": fmt.Errorf("bad secret %v", s),
	}
}

// secretShows returns the spelling of the secret that text contains.
func secretShows(text string) string {
	raw := []byte(secretText)
	for spelling, s := range map[string]string{
		"plain":           secretText,
		"hexadecimal":     hex.EncodeToString(raw),
		"HEXADECIMAL":     strings.ToUpper(hex.EncodeToString(raw)),
		"base64":          base64.StdEncoding.EncodeToString(raw),
		"decimal bytes":   strings.Trim(fmt.Sprint(raw), "[]"),
		"byte literals":   strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
		"the middle half": secretText[7:20],
	} {
		if strings.Contains(text, s) {
			return spelling
		}
	}
	return ""
}

func TestPromise11_ASecretDoesNotPrint(t *testing.T) {
	for name, v := range secretHolders() {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%o"} {
				if text := fmt.Sprintf(verb, v); secretShows(text) != "" {
					t.Errorf("%s shows it in %s: %s", verb, secretShows(text), text)
				}
			}
			var out bytes.Buffer
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", v, slog.Group("g", "value", v))
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", v, slog.Group("g", "value", v))
			text, err := json.Marshal(v)
			out.Write(text)
			fmt.Fprint(&out, err)
			if where := secretShows(out.String()); where != "" {
				t.Errorf("a log or JSON shows it in %s: %s", where, out.String())
			}
			if path := secretReached(reflect.ValueOf(v), 0); path != "" {
				t.Errorf("reflection reaches the bytes: %s", path)
			}
		})
	}
}

// secretReached follows everything that a printer by reflection follows.
func secretReached(v reflect.Value, depth int) string {
	if depth > 20 || !v.IsValid() {
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if strings.Contains(v.String(), secretText) {
			return "string"
		}
	case reflect.Pointer, reflect.Interface:
		if path := secretReached(v.Elem(), depth+1); path != "" {
			return "*" + path
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice && bytes.Contains(v.Bytes(), []byte(secretText)) {
			return "bytes"
		}
		for i := range v.Len() {
			if path := secretReached(v.Index(i), depth+1); path != "" {
				return "[]" + path
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if path := secretReached(it.Key(), depth+1) + secretReached(it.Value(), depth+1); path != "" {
				return "map." + path
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if path := secretReached(v.Field(i), depth+1); path != "" {
				return v.Type().Field(i).Name + "." + path
			}
		}
	}
	return ""
}

func TestTheSearchForSecretsFindsOne(t *testing.T) {
	if secretShows(fmt.Sprintf("%#v", []byte(secretText))) == "" || secretShows(fmt.Sprint([]byte(secretText))) == "" {
		t.Error("the search is blind to printed bytes")
	}
	raw := []byte(secretText)
	if secretReached(reflect.ValueOf(struct{ p *[]byte }{&raw}), 0) == "" {
		t.Error("the search by reflection is blind")
	}
}

// Errors and logs of every verifier, for a request with a text close to the secret.
func TestPromise11_RefusalsSayNothingOfSecretOrSignature(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret(secretText))
	whsec := "whsec_" + base64.StdEncoding.EncodeToString([]byte(secretText))
	for name, v := range map[string]webhook.Verifier{
		"HMAC":             &webhook.HMAC{Header: "X-Sig", Keys: key},
		"Token":            &webhook.Token{Header: "X-Token", Keys: key},
		"BasicAuth":        &webhook.BasicAuth{Keys: key},
		"StandardWebhooks": &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(whsec))},
	} {
		t.Run(name, func(t *testing.T) {
			src := webhook.Source{Name: "acme", Verifier: v}
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			right := httptest.NewRequest("POST", "/", nil)
			if err := v.(webhook.Signer).Sign(right, []byte("body")); err != nil {
				t.Fatal(err)
			}
			proof, err := v.Verify(right, []byte("body"))
			if err != nil {
				t.Fatal(err)
			}
			wrong := httptest.NewRequest("POST", "/", nil)
			wrong.SetBasicAuth("hook", secretText+"x")
			wrong.Header.Set("X-Token", secretText+"x")
			wrong.Header.Set("X-Sig", strings.Repeat("00", 32))
			wrong.Header.Set("Webhook-Id", right.Header.Get("Webhook-Id"))
			wrong.Header.Set("Webhook-Timestamp", right.Header.Get("Webhook-Timestamp"))
			wrong.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32)))
			_, err = src.Open(wrong, []byte("body"))
			if err == nil {
				t.Fatal("it was let in")
			}
			if where := secretShows(err.Error()); where != "" {
				t.Errorf("the error shows the secret in %s: %v", where, err)
			}
			if mac := proof.Signature; mac != nil {
				for _, s := range []string{hex.EncodeToString(mac), base64.StdEncoding.EncodeToString(mac)} {
					if strings.Contains(err.Error(), s[:12]) {
						t.Errorf("the error shows the right signature: %v", err)
					}
				}
			}
		})
	}
}

func TestSecret(t *testing.T) {
	s := webhook.NewSecret("abc")
	if !s.Equal([]byte("abc")) || s.Equal([]byte("abd")) || s.Equal([]byte("abcd")) || s.Equal(nil) {
		t.Error("Equal is wrong about abc")
	}
	for name, empty := range map[string]webhook.Secret{"zero": {}, "of an empty string": webhook.NewSecret("")} {
		if !empty.IsZero() || empty.Equal(nil) || empty.Equal([]byte{}) {
			t.Errorf("the %s secret matches something", name)
		}
		if len(empty.Reveal()) != 0 {
			t.Errorf("the %s secret has bytes", name)
		}
	}
	got := s.Reveal()
	got[0] = 'x'
	if string(s.Reveal()) != "abc" {
		t.Error("Reveal hands out the secret's own bytes")
	}
	keys := webhook.Keys(s, s)
	if len(keys) != 2 || keys[0].Label != "1" || keys[1].Label != "2" {
		t.Errorf("Keys = %v, want labels 1 and 2", keys)
	}
}

package webhook_test

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

const formType = "application/x-www-form-urlencoded"

func formDelivery(contentType, body string) *webhook.Delivery {
	d := &webhook.Delivery{Source: "acme", Header: http.Header{}, Body: []byte(body)}
	if contentType != "" {
		d.Header.Set("Content-Type", contentType)
	}
	return d
}

func TestDocument(t *testing.T) {
	tests := []struct {
		name, contentType, body, want string
		malformed                     bool
	}{
		{"JSON", "application/json", `{"a":1}`, `{"a":1}`, false},
		{"JSON with parameters", "application/json; charset=utf-8", `{"a":1}`, `{"a":1}`, false},
		{"no type at all", "", `payload=1`, `payload=1`, false},
		{"a form", formType, "payload=%7B%22zen%22%3A%22x+y%22%7D", `{"zen":"x y"}`, false},
		{"a form with parameters", formType + "; charset=utf-8", "payload=%7B%7D", "{}", false},
		{"a form in another case", strings.ToUpper(formType), "payload=%7B%7D", "{}", false},
		{"a form with other fields", formType, "a=1&payload=%7B%7D&b=2", "{}", false},
		{"a form with empty pairs", formType, "&&payload=%7B%7D&", "{}", false},
		{"a form with an encoded name", formType, "p%61yload=%7B%7D", "{}", false},
		{"a form with an equals sign in the value", formType, "payload=a=b", "a=b", false},
		{"a form with an empty payload", formType, "payload=", "", false},
		{"a form with a bare payload", formType, "payload", "", false},
		{"a form with bytes that are no UTF-8", formType, "payload=%ff%00", "\xff\x00", false},
		{"JSON under a form's type", formType, " \r\n\t{\"payload\":1}", " \r\n\t{\"payload\":1}", false},
		{"a list under a form's type", formType, `[1]`, `[1]`, false},
		{"a form without payload", formType, "a=1", "", true},
		{"a form with Payload", formType, "Payload=1", "", true},
		{"an empty form", formType, "", "", true},
		{"two payload fields", formType, "payload=1&payload=2", "", true},
		{"two equal payload fields", formType, "payload=1&payload=1", "", true},
		{"a second, encoded payload field", formType, "payload=1&%70ayload=2", "", true},
		{"a value cut in an escape", formType, "payload=%7", "", true},
		{"a value cut after the percent sign", formType, "payload=%", "", true},
		{"a value that is no escape", formType, "payload=%zz", "", true},
		{"a name that is no escape", formType, "payload=1&%zz=1", "", true},
		{"another field badly encoded", formType, "payload=1&a=%zz", "", true},
		{"a semicolon in the value", formType, "payload=1;payload=2", "", true},
		{"a semicolon in a name", formType, "payload=1&a;b=2", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := formDelivery(tt.contentType, tt.body)
			got, err := d.Document()
			if (err != nil) != tt.malformed || err != nil && !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("err = %v, want malformed: %v", err, tt.malformed)
			}
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if string(d.Body) != tt.body {
				t.Error("Document changed the body")
			}
			formAgrees(t, tt.contentType, tt.body)
		})
	}
}

// formAgrees compares Document and Form with url.ParseQuery. Document accepts a form
// exactly if ParseQuery does and finds one payload, and Form if it finds no more fields than
// Form takes.
func formAgrees(t testing.TB, contentType, body string) {
	t.Helper()
	if !strings.HasPrefix(strings.ToLower(contentType), formType) || strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{") ||
		strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "[") {
		return
	}
	d := formDelivery(contentType, body)
	got, err := d.Document()
	values, parseErr := url.ParseQuery(body)
	if strings.Count(body, "&") < 1000 {
		if fields, err := d.Form(); (err == nil) != (parseErr == nil) || err == nil && !cmp.Equal(values, fields) {
			t.Errorf("%q: Form returns %q, %v, and ParseQuery %q, %v", body, fields, err, values, parseErr)
		}
	}
	one := parseErr == nil && len(values["payload"]) == 1
	if one != (err == nil) {
		t.Errorf("%q: Document says %v, ParseQuery %v with %q", body, err, parseErr, values["payload"])
	}
	if err == nil && one && string(got) != values.Get("payload") {
		t.Errorf("%q: Document finds %q, ParseQuery %q", body, got, values.Get("payload"))
	}
}

func TestDocumentCopiesThePayloadOfAFormOnceAndNothingElse(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"a large payload":     "payload=" + strings.Repeat("x", size),
		"large other fields":  "payload=x&a=" + strings.Repeat("x", size/2) + "&b=" + strings.Repeat("%41", size/6),
		"a field with a name": "payload=x&" + strings.Repeat("x", size) + "=1",
	} {
		t.Run(name, func(t *testing.T) {
			d := formDelivery(formType, body)
			doc, err := d.Document()
			if err != nil {
				t.Fatal(err)
			}
			took := uint64(math.MaxUint64) // the minimum of several runs, since other goroutines may allocate too
			for range 10 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _ = d.Document()
				runtime.ReadMemStats(&after)
				took = min(took, after.TotalAlloc-before.TotalAlloc)
			}
			// Size classes round up by at most one eighth.
			if most := uint64(len(doc) + len(doc)/8 + size/16); took > most {
				t.Errorf("it allocated %d bytes for a document of %d, want at most %d", took, len(doc), most)
			}
		})
	}
}

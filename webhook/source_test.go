package webhook_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// sourceOf returns a Source that accepts every request, with this Description.
func sourceOf(about webhook.Description) webhook.Source {
	return webhook.Source{
		Name:     "acme",
		Verifier: &webhook.InsecureAcceptAll{},
		Describe: func(*http.Request, []byte) webhook.Description { return about },
	}
}

// sourceProof returns a verifier with this Proof.
func sourceProof(p webhook.Proof) webhook.Verifier {
	return verifierFunc(func(*http.Request, []byte) (webhook.Proof, error) { return p, nil })
}

func TestOpenDedupKeys(t *testing.T) {
	mac := webhook.Proof{Signature: []byte{0xab, 0xcd}}
	tests := []struct {
		name   string
		proof  webhook.Proof
		about  webhook.Description
		wantID string
		want   []string
	}{
		{"nothing known", webhook.Proof{}, webhook.Description{}, "", nil},
		{"an id", webhook.Proof{}, webhook.Description{ID: "1"}, "1", []string{"id:1"}},
		{"an id that is no dedup key", webhook.Proof{}, webhook.Description{ID: "1", DedupKeys: []string{}}, "1", nil},
		{"dedup keys of its own", webhook.Proof{}, webhook.Description{ID: "1", DedupKeys: []string{"a", "b"}}, "1", []string{"a", "b"}},
		{"a signature", mac, webhook.Description{DedupBySignature: true}, "", []string{"mac:abcd"}},
		{"a signature and an id", mac, webhook.Description{ID: "1", DedupBySignature: true}, "1", []string{"id:1", "mac:abcd"}},
		{"a signature that is not wanted", mac, webhook.Description{ID: "1"}, "1", []string{"id:1"}},
		{"a signature that is not there", webhook.Proof{}, webhook.Description{DedupBySignature: true}, "", nil},
		{"a signature and dedup keys", mac, webhook.Description{DedupKeys: []string{"a"}, DedupBySignature: true}, "", []string{"a", "mac:abcd"}},
		{"a proven id goes before", webhook.Proof{ID: "p"}, webhook.Description{ID: "1"}, "p", []string{"id:p"}},
		{"a proven id is always a dedup key", webhook.Proof{ID: "p"}, webhook.Description{DedupKeys: []string{}}, "p", []string{"id:p"}},
		{"an id that looks like a signature", mac, webhook.Description{ID: "mac:abcd"}, "mac:abcd", []string{"id:mac:abcd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := sourceOf(tt.about)
			src.Verifier = sourceProof(tt.proof)
			d, err := src.Open(httptest.NewRequest("POST", "/", nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, d.DedupKeys); diff != "" || d.ID != tt.wantID {
				t.Errorf("ID %q, want %q; dedup keys (-want +got):\n%s", d.ID, tt.wantID, diff)
			}
		})
	}
}

func TestPromise8_NamesFitEveryDatabase(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, s := range map[string]string{
		"long":                        long,
		"long and different":          long + "y",
		"just too long":               strings.Repeat("x", 256),
		"long in two-byte characters": strings.Repeat("é", 150),
		"long in invalid bytes":       strings.Repeat("\xff", 300),
		"NUL":                         "a\x00b",
		"invalid UTF-8":               "a\xffb",
		"a cut character":             "a\xe2\x82",
		"long, and NUL at the end":    long + "\x00",
	} {
		d, err := sourceOf(webhook.Description{ID: s, Type: s, OrderingKey: s, DedupKeys: []string{s}}).Open(httptest.NewRequest("POST", "/", nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{d.ID, d.Type, d.OrderingKey, d.DedupKeys[0]} {
			if len(got) > 255 || !utf8.ValidString(got) || strings.Contains(got, "\x00") || got == s {
				t.Errorf("%s: %q is not fit to be stored", name, got)
			}
		}
	}
	for _, s := range []string{"", "x", strings.Repeat("x", 255), "é"} {
		d, err := sourceOf(webhook.Description{OrderingKey: s}).Open(httptest.NewRequest("POST", "/", nil), nil)
		if err != nil || d.OrderingKey != s {
			t.Errorf("%q became %q, %v", s, d.OrderingKey, err)
		}
	}
	key := func(s string) string {
		d, err := sourceOf(webhook.Description{OrderingKey: s}).Open(httptest.NewRequest("POST", "/", nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		return d.OrderingKey
	}
	if key(long+"a") == key(long+"b") || key("a\xff") == key("a\xfe") {
		t.Error("two long or invalid names became one")
	}
}

func TestPromise8_WhatCannotBeDescribedIsKept(t *testing.T) {
	src := sourceOf(webhook.Description{})
	src.Describe = func(*http.Request, []byte) webhook.Description { panic("a bug") }
	for name, src := range map[string]webhook.Source{
		"a panic":           src,
		"no Describe":       {Name: "acme", Verifier: &webhook.InsecureAcceptAll{}},
		"nothing described": sourceOf(webhook.Description{}),
		"a prefix alone":    sourceOf(webhook.Description{Type: "acme."}),
		"malformed":         sourceOf(webhook.Description{Malformed: errors.New("no object")}),
	} {
		d, err := src.Open(httptest.NewRequest("POST", "/", nil), []byte("{"))
		if err != nil || d.Type != "acme.unknown" || string(d.Body) != "{" {
			t.Errorf("%s: got %v, %v, want a delivery of type acme.unknown", name, d, err)
		}
	}
}

func TestOpenCoalesces(t *testing.T) {
	for key, want := range map[string]webhook.Coalesce{"k": {Quiet: time.Second}, "": {}} {
		src := sourceOf(webhook.Description{OrderingKey: key})
		src.Coalesce = webhook.Coalesce{Quiet: time.Second}
		d, err := src.Open(httptest.NewRequest("POST", "/", nil), nil)
		if err != nil || d.Coalesce != want {
			t.Errorf("with key %q: %v, %v, want %v", key, d.Coalesce, err, want)
		}
	}
}

func TestSourceValidate(t *testing.T) {
	for name, change := range map[string]func(*webhook.Source){
		"no name":                             func(s *webhook.Source) { s.Name = "" },
		"a name with NUL":                     func(s *webhook.Source) { s.Name = "a\x00" },
		"a name of 256 bytes":                 func(s *webhook.Source) { s.Name = strings.Repeat("a", 256) },
		"no verifier":                         func(s *webhook.Source) { s.Verifier = nil },
		"a negative limit":                    func(s *webhook.Source) { s.MaxBody = -1 },
		"a limit that no budget holds":        func(s *webhook.Source) { s.MaxBody = math.MaxInt64 },
		"a budget that was not made":          func(s *webhook.Source) { s.Budget = new(webhook.Budget) },
		"a limit that its budget cannot hold": func(s *webhook.Source) { s.Budget = webhook.NewBudget(1 << 20) },
	} {
		t.Run(name, func(t *testing.T) {
			src := recvSource()
			change(&src)
			if err := src.Validate(); err == nil {
				t.Error("accepted")
			}
			verifierPanics(t, "NewReceiver", func() { webhook.NewReceiver(src, recvOK) })
		})
	}
	if err := recvSource().Validate(); err != nil {
		t.Error(err)
	}
	want := "webhook: source acme: Verifier is nil"
	if err := (webhook.Source{Name: "acme"}).Validate(); err == nil || err.Error() != want {
		t.Errorf("Validate = %v, want %s", err, want)
	}
}

func TestDescribeCanReadTheDocumentOfAForm(t *testing.T) {
	src := recvSource()
	src.Describe = func(r *http.Request, body []byte) webhook.Description {
		doc, err := (&webhook.Delivery{Header: r.Header, Body: body}).Document()
		if err != nil {
			return webhook.Description{Malformed: err}
		}
		return webhook.Description{Type: "acme.push", OrderingKey: string(doc)}
	}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	for sent, contentType := range map[string]string{"payload=%7B%22a%22%3A1%7D": formType, `{"a":1}`: "application/json"} {
		r := recvRequest(t, src, sent)
		r.Header.Set("Content-Type", contentType)
		d, err := src.Open(r, []byte(sent))
		if err != nil || d.OrderingKey != `{"a":1}` {
			t.Errorf("%s: key %q, %v", contentType, d.OrderingKey, err)
		}
	}
}

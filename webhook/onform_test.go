package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestForm(t *testing.T) {
	many := strings.Repeat("a&", 999)
	for _, tt := range []struct {
		name, contentType, body string
		want                    url.Values
		err                     string // part of the error
	}{
		{"fields", formType, "From=%2B4917&Body=hello+there", url.Values{"From": {"+4917"}, "Body": {"hello there"}}, ""},
		{"a repeated field", formType, "a=2&b=&a=1", url.Values{"a": {"2", "1"}, "b": {""}}, ""},
		{"a field that is repeated in another encoding", formType, "a=1&%61=2", url.Values{"a": {"1", "2"}}, ""},
		{"a payload", formType, "payload=%7B%7D", url.Values{"payload": {"{}"}}, ""},
		{"two payloads", formType, "payload=1&payload=2", url.Values{"payload": {"1", "2"}}, ""},
		{"empty pairs", formType, "&&a=1&", url.Values{"a": {"1"}}, ""},
		{"no fields", formType, "", url.Values{}, ""},
		{"a field without a name", formType, "=1", url.Values{"": {"1"}}, ""},
		{"a type with parameters", strings.ToUpper(formType) + "; charset=utf-8", "a", url.Values{"a": {""}}, ""},
		{"bytes that are no UTF-8", formType, "a=%ff%00", url.Values{"a": {"\xff\x00"}}, ""},
		{"as many fields as are taken", formType, many + "b=1", nil, ""},
		{"a field too many", formType, many + "b=1&c=2", nil, "form has more than 1000 fields"},
		{"a value cut in an escape", formType, "a=1&b=%7", nil, "value is badly encoded"},
		{"a name that is no escape", formType, "a=1&%zz=1", nil, "name is badly encoded"},
		{"a semicolon", formType, "a=1;b=2", nil, "value is badly encoded"},
		{"JSON", "application/json", `{"a":1}`, nil, `the body is not a form: its Content-Type is "application/json"`},
		{"JSON under a form's type", formType, ` {"a":1}`, nil, "the body is JSON, not a form"},
		{"another form", "multipart/form-data; boundary=x", "--x--", nil, "not a form"},
		{"no type at all", "", "a=1", nil, `not a form: its Content-Type is ""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := formDelivery(tt.contentType, tt.body)
			got, err := d.Form()
			if tt.err != "" {
				if !errors.Is(err, webhook.ErrMalformed) || !strings.Contains(err.Error(), tt.err) || !strings.HasPrefix(err.Error(), "acme: ") {
					t.Errorf("error = %v, want ErrMalformed with %q", err, tt.err)
				}
				if got != nil {
					t.Errorf("fields %v beside the error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				tt.want, _ = url.ParseQuery(tt.body)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Form (-want +got):\n%s", diff)
			}
			if parsed, err := url.ParseQuery(tt.body); err != nil || !cmp.Equal(parsed, got) {
				t.Errorf("ParseQuery returns %v, %v, and Form %v", parsed, err, got)
			}
			if string(d.Body) != tt.body {
				t.Error("Form changed the body")
			}
		})
	}
}

// A form of many short fields does not take a multiple of its bytes without a bound.
func TestFormOfTooManyFieldsIsRefusedBeforeItIsRead(t *testing.T) {
	d := formDelivery(formType, strings.Repeat("a&", 1<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := d.Form()
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("err is nil, want an error")
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("it allocated %d bytes for a form of %d, want less than half", took, len(d.Body))
	}
}

func TestFormSharesNoMemoryWithTheBody(t *testing.T) {
	d := formDelivery(formType, "name=value")
	fields, err := d.Form()
	if err != nil {
		t.Fatal(err)
	}
	copy(d.Body, "xxxxxxxxxx")
	if diff := cmp.Diff(url.Values{"name": {"value"}}, fields); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentAndFormOfARequest(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", formType)
	if doc, err := webhook.Document(r, []byte("payload=%7B%7D&a=1")); err != nil || string(doc) != "{}" {
		t.Errorf("Document returns %q, %v, want {}", doc, err)
	}
	if fields, err := webhook.Form(r, []byte("payload=%7B%7D&a=1")); err != nil || fields.Get("a") != "1" {
		t.Errorf("Form returns %v, %v, want a: 1", fields, err)
	}
	_, docErr := webhook.Document(r, []byte("a=1"))
	_, formErr := webhook.Form(r, []byte("%"))
	for _, err := range []error{docErr, formErr} {
		if !errors.Is(err, webhook.ErrMalformed) || !strings.HasPrefix(err.Error(), "webhook: malformed: ") {
			t.Errorf("error = %v, want ErrMalformed", err)
		}
	}
}

func TestFormWithItsOwnFields(t *testing.T) {
	form := http.Header{"Content-Type": {formType}}
	d := &webhook.Delivery{Type: "test.greeting", Header: form, Body: []byte("From=%2B4917&Body=hello+there")}
	t.Run("is refused by On with what to do", func(t *testing.T) {
		mux := webhook.Mux{Decode: func([]byte, any) error { t.Error("asked"); return nil }}
		webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { t.Error("called"); return nil })
		err := mux.Handle(t.Context(), d)
		if !errors.Is(err, webhook.ErrMalformed) || !strings.Contains(err.Error(), "form has no payload field: to take its own fields use OnForm") {
			t.Fatalf("error = %v, want ErrMalformed that names OnForm", err)
		}
	})
	t.Run("is read by OnForm", func(t *testing.T) {
		mux := webhook.Mux{Decode: func([]byte, any) error { t.Error("asked"); return nil }}
		var got *webhook.Event[url.Values]
		webhook.OnForm(&mux, "test.greeting", func(_ context.Context, e *webhook.Event[url.Values]) error {
			got = e
			return errBoom
		})
		if err := mux.Handle(t.Context(), d); err != errBoom {
			t.Fatalf("the callback's error is the outcome: %v, want %v", err, errBoom)
		}
		if got.Delivery != d || got.Payload.Get("From") != "+4917" || got.Payload.Get("Body") != "hello there" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("and other bodies are not", func(t *testing.T) {
		var mux webhook.Mux
		webhook.OnForm(&mux, "test.greeting", func(context.Context, *webhook.Event[url.Values]) error { t.Error("called"); return nil })
		for body, h := range map[string]http.Header{"a=%zz": form, "{}": form, "a=1": nil} {
			if err := mux.Handle(t.Context(), &webhook.Delivery{Type: "test.greeting", Header: h, Body: []byte(body)}); !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("%q: the outcome is %v, want %v", body, err, webhook.ErrMalformed)
			}
		}
	})
}

package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

// greeting is a Payload.
type greeting struct {
	Name string `json:"name"`
}

func (greeting) EventType() string { return "test.greeting" }

// checked is a Payload that is a Checker.
type checked struct{ greeting }

func (checked) EventType() string { return "test.checked" }

func (checked) Check(document []byte) error {
	if bytes.Count(document, []byte(`"name"`)) != 1 {
		return errors.New("name does not appear once")
	}
	return nil
}

// pointed has pointer methods, so it cannot be used as a Payload.
type pointed struct{ greeting }

func (*pointed) EventType() string { return "test.pointed" }

func TestPointerPayloadPanics(t *testing.T) {
	require.PanicsWithValue(t, "webhook: the payload is a pointer: use webhook_test.pointed", func() {
		webhook.On(new(webhook.Mux), func(context.Context, *webhook.Event[*pointed]) error { return nil })
	})
	require.Panics(t, func() { _, _ = webhook.Decode[*greeting](&webhook.Delivery{}) })
}

func TestMuxRoutesByType(t *testing.T) {
	note := func(text string) webhook.Handler {
		return webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errors.New(text) })
	}
	routed := func(m *webhook.Mux) *webhook.Mux {
		m.Route("a", note("route a"))
		m.Route("b", note("route b"))
		return m
	}
	for _, test := range []struct {
		name, typ string
		mux       *webhook.Mux
		text      string // set by the Handler that ran
		is        error
	}{
		{"to the handler of the type", "b", routed(&webhook.Mux{}), "route b", nil},
		{"to no handler", "c", routed(&webhook.Mux{}), "", webhook.ErrNoHandler},
		{"to none of a zero Mux", "a", &webhook.Mux{}, "", webhook.ErrNoHandler},
		{"to Default", "c", routed(&webhook.Mux{Default: note("default")}), "default", nil},
		{"to Default before IgnoreUnhandled", "c", routed(&webhook.Mux{Default: note("default"), IgnoreUnhandled: true}), "default", nil},
		{"past Default where there is a route", "a", routed(&webhook.Mux{Default: note("default")}), "route a", nil},
		{"to ErrIgnored with IgnoreUnhandled", "c", routed(&webhook.Mux{IgnoreUnhandled: true}), "", webhook.ErrIgnored},
		{"not by case", "A", routed(&webhook.Mux{}), "", webhook.ErrNoHandler},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.mux.Handle(t.Context(), &webhook.Delivery{Type: test.typ})
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
				return
			}
			require.EqualError(t, err, test.text)
		})
	}
}

func TestMuxTypes(t *testing.T) {
	h := webhook.HandlerFunc(succeed)
	var mux webhook.Mux
	require.Equal(t, []string{}, mux.Types(), "none, which is not all")
	mux.Route("b", h)
	mux.Route("a", h)
	require.Equal(t, []string{"a", "b"}, mux.Types())
	require.Nil(t, (&webhook.Mux{Default: h}).Types())
	require.Nil(t, (&webhook.Mux{IgnoreUnhandled: true}).Types())
}

func TestMuxPanicsOnMisuse(t *testing.T) {
	h := webhook.HandlerFunc(succeed)
	for name, f := range map[string]func(m *webhook.Mux){
		"a second handler for a type": func(m *webhook.Mux) { m.Route("a", h); m.Route("a", h) },
		"an empty type":               func(m *webhook.Mux) { m.Route("", h) },
		"a nil handler":               func(m *webhook.Mux) { m.Route("a", nil) },
		"a nil callback":              func(m *webhook.Mux) { webhook.On[greeting](m, nil) },
		"a second callback for a type": func(m *webhook.Mux) {
			m.Route("test.greeting", h)
			webhook.On(m, func(context.Context, *webhook.Event[greeting]) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, func() { f(&webhook.Mux{}) }) })
	}
}

func TestOnDecodesTheDocument(t *testing.T) {
	for name, d := range map[string]*webhook.Delivery{
		"of a JSON body": {Type: "test.greeting", Body: []byte(`{"name":"Ada","more":1}`)},
		"of a form body": {
			Type:   "test.greeting",
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   []byte("payload=%7B%22name%22%3A%22Ada%22%7D"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				mux webhook.Mux
				got *webhook.Event[greeting]
			)
			webhook.On(&mux, func(_ context.Context, e *webhook.Event[greeting]) error { got = e; return errBoom })
			require.Same(t, errBoom, mux.Handle(t.Context(), d), "the callback's error is the outcome")
			require.Equal(t, greeting{"Ada"}, got.Payload)
			require.Same(t, d, got.Delivery)
			e, err := webhook.Decode[greeting](d)
			require.NoError(t, err)
			require.Equal(t, got, e)
		})
	}
}

func TestOnDoesNotCallTheCallbackIfDecodingFails(t *testing.T) {
	for name, d := range map[string]*webhook.Delivery{
		"no document":              {Type: "test.greeting"},
		"not JSON":                 {Type: "test.greeting", Body: []byte("hello")},
		"more than one document":   {Type: "test.greeting", Body: []byte(`{"name":"a"}{"name":"b"}`)},
		"another type":             {Type: "test.greeting", Body: []byte(`{"name":7}`)},
		"a form without a payload": {Type: "test.greeting", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("a=b")},
		"refused by Check, twice":  {Type: "test.checked", Body: []byte(`{"name":"a","name":"b"}`)},
		"refused by Check, never":  {Type: "test.checked", Body: []byte(`{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { t.Error("called"); return nil })
			webhook.On(&mux, func(context.Context, *webhook.Event[checked]) error { t.Error("called"); return nil })
			require.ErrorIs(t, mux.Handle(t.Context(), d), webhook.ErrMalformed)
		})
	}
}

func TestCheckSeesTheDocumentOfAForm(t *testing.T) {
	d := &webhook.Delivery{
		Type:   "test.checked",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte("payload=%7B%22name%22%3A%22Ada%22%7D"),
	}
	e, err := webhook.Decode[checked](d)
	require.NoError(t, err)
	require.Equal(t, "Ada", e.Payload.Name)
}

func TestMuxDecodeReplacesTheDecoder(t *testing.T) {
	mux := webhook.Mux{Decode: func(document []byte, v any) error {
		strict := json.NewDecoder(bytes.NewReader(document))
		strict.DisallowUnknownFields()
		return strict.Decode(v)
	}}
	var got []greeting
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[greeting]) error {
		got = append(got, e.Payload)
		return nil
	})
	d := func(body string) *webhook.Delivery {
		return &webhook.Delivery{Type: "test.greeting", Body: []byte(body)}
	}
	require.NoError(t, mux.Handle(t.Context(), d(`{"name":"Ada"}`)))
	require.ErrorIs(t, mux.Handle(t.Context(), d(`{"name":"Ada","more":1}`)), webhook.ErrMalformed)
	if diff := cmp.Diff([]greeting{{"Ada"}}, got); diff != "" {
		t.Error(diff)
	}
	_, err := webhook.Decode[greeting](d(`{"name":"Ada","more":1}`))
	require.NoError(t, err, "Decode itself is not replaced")
}

// nameless is a Payload with an empty type.
type nameless struct{ greeting }

func (nameless) EventType() string { return "" }

func TestOnNamesAPayloadWithAnEmptyType(t *testing.T) {
	require.PanicsWithValue(t, "webhook: On: EventType of webhook_test.nameless returns an empty type", func() {
		webhook.On(new(webhook.Mux), func(context.Context, *webhook.Event[nameless]) error { return nil })
	})
}

func TestFormWithItsOwnFields(t *testing.T) {
	d := &webhook.Delivery{
		Type:   "test.greeting",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte("From=%2B4917&Body=hello+there"),
	}
	t.Run("is refused by On with what to do", func(t *testing.T) {
		mux := webhook.Mux{Decode: func([]byte, any) error { t.Error("asked"); return nil }}
		webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { t.Error("called"); return nil })
		err := mux.Handle(t.Context(), d)
		require.ErrorIs(t, err, webhook.ErrMalformed)
		require.ErrorContains(t, err, "form has no payload field: to take its own fields register a Handler with Mux.Route and read Delivery.Body with url.ParseQuery")
	})
	t.Run("is read so by a route", func(t *testing.T) {
		var mux webhook.Mux
		var text string
		mux.Route("test.greeting", webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			fields, err := url.ParseQuery(string(d.Body))
			text = fields.Get("From") + ": " + fields.Get("Body")
			return err
		}))
		require.NoError(t, mux.Handle(t.Context(), d))
		require.Equal(t, "+4917: hello there", text)
	})
}

package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestOptionalDistinguishesNullAndAbsent(t *testing.T) {
	for _, tc := range []struct {
		name, doc, value       string
		present, null, missing bool
	}{
		{"absent", `{}`, "else", false, false, true},
		{"null", `{"name":null}`, "else", false, true, false},
		{"empty", `{"name":""}`, "", true, false, false},
		{"a value", `{"name":"a"}`, "a", true, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := unmarshal(t, tc.doc)
			_, present := r.Name.Get()
			if present != tc.present || r.Name.IsNull() != tc.null || r.Name.IsZero() != tc.missing {
				t.Errorf("present %v, null %v, absent %v", present, r.Name.IsNull(), r.Name.IsZero())
			}
			if got := r.Name.Or("else"); got != tc.value {
				t.Errorf("got %q, want %q", got, tc.value)
			}
			if got := marshal(t, r); got != tc.doc {
				t.Errorf("encoded as %s, decoded from %s", got, tc.doc)
			}
		})
	}
}

func TestOptionalOfSlicesBoolsAndMapsIsEncodedAgain(t *testing.T) {
	var r struct {
		List wire.Optional[[]string]       `json:"list,omitzero"`
		Flag wire.Optional[bool]           `json:"flag,omitzero"`
		Deep wire.Optional[map[string]any] `json:"deep,omitzero"`
	}
	for _, doc := range []string{`{"list":[]}`, `{"list":["a"],"flag":false}`, `{"list":null,"flag":null,"deep":{"a":null}}`, `{}`} {
		r.List, r.Flag, r.Deep = wire.Optional[[]string]{}, wire.Optional[bool]{}, wire.Optional[map[string]any]{}
		if err := json.Unmarshal([]byte(doc), &r); err != nil {
			t.Fatal(err)
		}
		if got := marshal(t, r); got != doc {
			t.Errorf("encoded as %s, decoded from %s", got, doc)
		}
	}
}

func TestOptionalReturnsAnErrorForAnotherType(t *testing.T) {
	r := record{Name: wire.Some("before")}
	for _, doc := range []string{`{"name":1}`, `{"name":{}}`, `{"name":true}`} {
		if err := json.Unmarshal([]byte(doc), &r); err == nil || r.Name.Or("") != "before" {
			t.Errorf("%s: got %v and %q, want an error and no change", doc, err, r.Name.Or(""))
		}
	}
}

// These types have the kind string or int: one has no methods, one has
// UnmarshalJSON, and one has UnmarshalText.
type (
	tag     string
	trimmed string
	spelled int
)

func (s *trimmed) UnmarshalJSON(token []byte) error {
	var text string
	err := json.Unmarshal(token, &text)
	*s = trimmed(strings.Trim(text, "a"))
	return err
}

func (n *spelled) UnmarshalText(text []byte) error {
	*n = spelled(len(text))
	return nil
}

func (n spelled) MarshalText() ([]byte, error) { return bytes.Repeat([]byte("i"), int(n)), nil }

func TestOptionalDecodesATypeAsEncodingJSONDoes(t *testing.T) {
	for _, token := range []string{`"a"`, `""`, `"12"`, `"\u0061\n"`, "\"\u00e9\"", "\"a\xff\"", "\"\x7f\"", `true`, `false`,
		`0`, `-0`, `12`, `-128`, `127`, `128`, `-129`, `9223372036854775807`, `9223372036854775808`, `1.0`, `1e1`, `[]`, `["a"]`, `{}`} {
		t.Run(token, func(t *testing.T) {
			readsAsPlain[string](t, []byte(token))
			readsAsPlain[tag](t, []byte(token))
			readsAsPlain[trimmed](t, []byte(token))
			readsAsPlain[spelled](t, []byte(token))
			readsAsPlain[json.Number](t, []byte(token))
			readsAsPlain[bool](t, []byte(token))
			readsAsPlain[int8](t, []byte(token))
			readsAsPlain[int64](t, []byte(token))
			readsAsPlain[float64](t, []byte(token))
			readsAsPlain[any](t, []byte(token))
			readsAsPlain[*string](t, []byte(token))
			readsAsPlain[[]string](t, []byte(token))
		})
	}
}

// A decoder other than encoding/json may pass text that is not JSON.
func TestOptionalReturnsAnErrorForInvalidJSON(t *testing.T) {
	for _, token := range []string{``, `"`, `"a`, `a"`, "\"a\nb\"", `"a"b"`, `"\"`, `01`, `-`, `+1`, `1_0`, `tru`, `TRUE`, `nul`} {
		text, flag, count := wire.Some("before"), wire.Some(true), wire.Some(7)
		for _, o := range []json.Unmarshaler{&text, &flag, &count} {
			if err := o.UnmarshalJSON([]byte(token)); err == nil {
				t.Errorf("%T accepted %q", o, token)
			}
		}
		if text != wire.Some("before") || flag != wire.Some(true) || count != wire.Some(7) {
			t.Errorf("%q: an error changed the value", token)
		}
	}
}

func TestPlainTokensAllocateTheirTextAtMost(t *testing.T) {
	for name, tc := range map[string]struct {
		into  json.Unmarshaler
		token string
		want  float64
	}{
		"a time":          {new(wire.Time), `"2015-06-11T10:39:07Z"`, 1},
		"seconds":         {new(wire.Time), `1417566161`, 1},
		"a null time":     {new(wire.Time), `null`, 0},
		"a number":        {new(wire.Int), `1417566161`, 1},
		"a quoted number": {new(wire.Int), `"1417566161"`, 1},
		"text":            {new(wire.Optional[string]), `"refs/heads/main"`, 1},
		"text of a type":  {new(wire.Optional[tag]), `"refs/heads/main"`, 1},
		"an int":          {new(wire.Optional[int]), `12345`, 0},
		"true":            {new(wire.Optional[bool]), `true`, 0},
		"null":            {new(wire.Optional[string]), `null`, 0},
	} {
		token := []byte(tc.token)
		got := testing.AllocsPerRun(100, func() {
			if err := tc.into.UnmarshalJSON(token); err != nil {
				t.Fatal(err)
			}
		})
		if got > tc.want {
			t.Errorf("%s: %v allocations, want %v", name, got, tc.want)
		}
	}
}

func TestSomeAndNullAreEncoded(t *testing.T) {
	if got := marshal(t, record{Name: wire.Some("a")}); got != `{"name":"a"}` {
		t.Errorf("got %s", got)
	}
	if got := marshal(t, record{Name: wire.Null[string]()}); got != `{"name":null}` {
		t.Errorf("got %s", got)
	}
	if wire.Some("a") != unmarshal(t, `{"name":"a"}`).Name {
		t.Error("Some is not equal to the decoded value")
	}
}

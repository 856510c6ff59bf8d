package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

func TestOptionalKeepsNullAndAbsentApart(t *testing.T) {
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
				t.Errorf("written as %s, read from %s", got, tc.doc)
			}
		})
	}
}

func TestOptionalOfOtherTypes(t *testing.T) {
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
			t.Errorf("written as %s, read from %s", got, doc)
		}
	}
}

func TestOptionalRefusesAnotherType(t *testing.T) {
	r := record{Name: wire.Some("before")}
	for _, doc := range []string{`{"name":1}`, `{"name":{}}`, `{"name":true}`} {
		if err := json.Unmarshal([]byte(doc), &r); err == nil || r.Name.Or("") != "before" {
			t.Errorf("%s: got %v and %q, want an error and no change", doc, err, r.Name.Or(""))
		}
	}
}

func TestOptionalMadeInGo(t *testing.T) {
	if got := marshal(t, record{Name: wire.Some("a")}); got != `{"name":"a"}` {
		t.Errorf("got %s", got)
	}
	if got := marshal(t, record{Name: wire.Null[string]()}); got != `{"name":null}` {
		t.Errorf("got %s", got)
	}
	if wire.Some("a") != unmarshal(t, `{"name":"a"}`).Name {
		t.Error("a value made is not equal to the same value read")
	}
}

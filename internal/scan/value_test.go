package scan_test

import (
	"encoding/json"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

func TestScanReturnsTheValueAtAPath(t *testing.T) {
	const path = "a.b"
	for _, tc := range []struct {
		name, doc string
		kind      scan.Kind
		raw, text string
	}{
		{"a string", `{"a":{"b":"x\ny"}}`, scan.String, `"x\ny"`, "x\ny"},
		{"an empty string", `{"a":{"b":""}}`, scan.String, `""`, ""},
		{"a number", `{"a":{"b":-1.50e3 }}`, scan.Number, `-1.50e3`, "-1.50e3"},
		{"a number too large for every integer type", `{"a":{"b":123456789012345678901}}`, scan.Number,
			`123456789012345678901`, "123456789012345678901"},
		{"true", `{"a":{"b":true}}`, scan.Bool, `true`, "true"},
		{"false", `{"a":{"b": false}}`, scan.Bool, `false`, "false"},
		{"null", `{"a":{"b":null}}`, scan.Null, `null`, ""},
		{"an object", `{"a":{"b": { "b" : [{}] } ,"c":1}}`, scan.Object, `{ "b" : [{}] }`, ""},
		{"an array", `{"a":{"b":[{"b":1},[ ]] }}`, scan.Array, `[{"b":1},[ ]]`, ""},
		{"a name written with escapes", `{"\u0061":{"\u0062":1}}`, scan.Number, `1`, "1"},
		{"a member after others", `{"x":{"b":0},"a":{"x":[1,{"b":2}],"b":3}}`, scan.Number, `3`, "3"},
		{"nothing in an empty object", `{}`, scan.Absent, ``, ""},
		{"nothing below a missing parent", `{"b":1}`, scan.Absent, ``, ""},
		{"nothing below null", `{"a":null}`, scan.Absent, ``, ""},
		{"nothing below a string", `{"a":"b"}`, scan.Absent, ``, ""},
		{"nothing below an array", `{"a":[{"b":1}]}`, scan.Absent, ``, ""},
		{"nothing below an empty array", `{"a":[]}`, scan.Absent, ``, ""},
		{"nothing in an array", `[{"a":{"b":1}}]`, scan.Absent, ``, ""},
		{"nothing in a string", `"a.b"`, scan.Absent, ``, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out := []scan.Value{{Kind: scan.Bool, Raw: []byte("left over")}}
			if err := scan.New(path).Scan([]byte(tc.doc), out); err != nil {
				t.Fatal(err)
			}
			v := out[0]
			if v.Kind != tc.kind || string(v.Raw) != tc.raw || v.String() != tc.text {
				t.Errorf("got %v %q %q, want %v %q %q", v.Kind, v.Raw, v.String(), tc.kind, tc.raw, tc.text)
			}
			if (v.Kind == scan.Absent) != (v.Raw == nil) {
				t.Errorf("got Raw %v for kind %v", v.Raw, v.Kind)
			}
		})
	}
}

func TestScanReturnsTheValuesOfAPathAndItsPrefixes(t *testing.T) {
	out := make([]scan.Value, 3)
	doc := []byte(`{"a":{"b":{"c":[1]},"z":2}}`)
	if err := scan.New("a.b.c", "a", "a.b").Scan(doc, out); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`[1]`, `{"b":{"c":[1]},"z":2}`, `{"c":[1]}`} {
		if got := string(out[i].Raw); got != want {
			t.Errorf("value %d: got %q, want %q", i, got, want)
		}
		if cap(out[i].Raw) != len(out[i].Raw) {
			t.Errorf("value %d: append would change the document", i)
		}
	}
}

func TestStringDecodesAsEncodingJSONDoes(t *testing.T) {
	for _, raw := range []string{
		`""`, `"plain"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000\u00e9\u20AC"`, `"\uD83D\uDE00!"`,
		`"\ud800"`, `"\udc00"`, `"\ud800x"`, `"\ud800\u0041"`, `"\ud800\ud83d\ude00"`, `"\udc00\ud800"`,
		"\"\xff\"", "\"\xc3\"", "\"a\xe2\x82\"", "\"\xed\xa0\x80\"", "\"caf\u00e9 \U0001f600\"", "\"\xff\\n\"",
	} {
		var want string
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if got := (scan.Value{Kind: scan.String, Raw: []byte(raw)}).String(); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

// A Raw that Scan did not return may be invalid.
func TestStringOfAnInvalidValueDoesNotPanic(t *testing.T) {
	for _, raw := range []string{``, `"`, `"\"`, `"\u"`, `"\u12"`, `"\ud800\u"`, `"\uzzzz"`} {
		_ = scan.Value{Kind: scan.String, Raw: []byte(raw)}.String()
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[scan.Kind]string{
		scan.Absent: "absent", scan.Null: "null", scan.Bool: "bool", scan.Number: "number",
		scan.String: "string", scan.Object: "object", scan.Array: "array", 99: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d: got %q, want %q", kind, got, want)
		}
	}
}

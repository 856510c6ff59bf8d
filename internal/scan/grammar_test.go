package scan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// nested returns a document with depth nested arrays or objects. The innermost is the
// given one.
func nested(open, innermost, shut string, depth int) string {
	return strings.Repeat(open, depth-1) + innermost + strings.Repeat(shut, depth-1)
}

func TestScanAcceptsWhatJSONValidAccepts(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
	}{
		{"an empty object", `{}`},
		{"an empty array", `[ ]`},
		{"each kind of white space", " \t\r\n{ \"a\"\t:\r1\n,\"b\" : [ 1 , 2 ] } \n"},
		{"each literal", `[true,false,null]`},
		{"each form of number", `[0,-0,1,10,-12.5,0.0e0,1E+2,3e-45,9007199254740993]`},
		{"a number alone", `12`},
		{"a string alone", `"x"`},
		{"each escape", `"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\uABCD\uabcd"`},
		{"half a surrogate pair", `["\ud800","\udc00\ud800","\ud800\u0041"]`},
		{"bytes that are not UTF-8 in a string", "[\"\xff\xc3\x28\x80\"]"},
		{"a delete character in a string", "\"\x7f\""},
		{"names that repeat where nothing is watched", `{"x":1,"x":2,"a":{"ref":1,"ref":2}}`},
		{"an empty name", `{"":1,"":{"":2}}`},
		{"arrays at the depth limit", nested(`[`, `[]`, `]`, 10000)},
		{"objects at the depth limit", nested(`{"ref":`, `{}`, `}`, 10000)},
		{"a real body", string(pushBody())},
		{"a real body indented", string(indented(t, pushBody()))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if !json.Valid([]byte(tc.doc)) {
				t.Fatal("json.Valid disagrees with the table")
			}
			if err := routing.Scan([]byte(tc.doc), make([]scan.Value, routing.Len())); err != nil {
				t.Errorf("got %v, want nil", err)
			}
		})
	}
}

func TestScanReturnsErrSyntax(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		offset    string // of the invalid byte
	}{
		{"nothing", ``, "0"},
		{"white space only", " \n", "2"},
		{"a byte order mark", "\xef\xbb\xbf{}", "0"},
		{"text after the value", `{} x`, "3"},
		{"a second value", `1 2`, "2"},
		{"a comma before an end", `{"a":1,}`, "7"},
		{"a comma before an element", `[,1]`, "1"},
		{"a missing comma", `[1 2]`, "3"},
		{"a missing colon", `{"a" 1}`, "5"},
		{"a missing value", `{"a":}`, "5"},
		{"a name that is a number", `{1:2}`, "1"},
		{"an array ended as an object", `[1}`, "2"},
		{"an object ended as an array", `{"a":1]`, "6"},
		{"an empty array ended as an object", `[}`, "1"},
		{"a leading zero", `[01]`, "2"},
		{"a plus sign", `+1`, "0"},
		{"a minus alone", `[-]`, "2"},
		{"a point without digits after it", `[1.]`, "3"},
		{"a point without digits before it", `.5`, "0"},
		{"an exponent without digits", `1e+`, "3"},
		{"a hexadecimal number", `0x10`, "1"},
		{"a literal cut short", `tru`, "3"},
		{"a literal misspelt", `[nulL]`, "4"},
		{"a literal with a letter after it", `truer`, "4"},
		{"not a number", `NaN`, "0"},
		{"single quotes", `{'a':1}`, "1"},
		{"a control character in a long string", "\"0123456789ab\n\"", "13"},
		{"a control character in a short string", "[\"\x00\"]", "2"},
		{"a tab in a name", "{\"a\tb\":1}", "3"},
		{"an escape that does not exist", `"\x41"`, "2"},
		{"an upper case U escape", `"\U0041"`, "2"},
		{"an escape with three digits", `"\u004"`, "6"},
		{"a string without an end", `"abcdefgh`, "9"},
		{"a comment", `{} // no`, "3"},
		{"a form feed as white space", "\f{}", "0"},
		{"arrays past the depth limit", nested(`[`, `[]`, `]`, 10001), "10000"},
		{"objects past the depth limit", nested(`{"ref":`, `{}`, `}`, 10001), "70000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if json.Valid([]byte(tc.doc)) {
				t.Fatal("json.Valid disagrees with the table")
			}
			err := routing.Scan([]byte(tc.doc), make([]scan.Value, routing.Len()))
			if !errors.Is(err, scan.ErrSyntax) {
				t.Fatalf("got %v, want ErrSyntax", err)
			}
			if got, want := err.Error(), "scan: not JSON: invalid at byte "+tc.offset; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestScanReturnsErrSyntaxForATruncatedDocument(t *testing.T) {
	out := make([]scan.Value, routing.Len())
	small := []byte(`{"ref":"a\u00e9\\","x":[-1.5e+3,true,null,[],{}],"deleted":false}`)
	for _, doc := range [][]byte{small, indented(t, small), pushBody()} {
		for end := range len(doc) {
			if err := routing.Scan(doc[:end], out); !errors.Is(err, scan.ErrSyntax) {
				t.Fatalf("the first %d of %d bytes: got %v, want ErrSyntax", end, len(doc), err)
			}
			for i, v := range out {
				if v.Kind != scan.Absent || v.Raw != nil {
					t.Fatalf("the first %d bytes: value %d is set although Scan returned an error", end, i)
				}
			}
		}
	}
}

// Each byte is tested at each position of a word, after bytes whose borrow could
// change its result.
func TestScanAgreesWithJSONValidOnEachByteOfAString(t *testing.T) {
	out := make([]scan.Value, routing.Len())
	for place := range 10 {
		for _, before := range []byte("x\x00\x1f !\"#[\\]\x80\xa2\xdc\xff") {
			for b := range 256 {
				doc := bytes.Repeat([]byte{'x'}, 20)
				doc[0], doc[19] = '"', '"'
				doc[place+1], doc[place+2] = before, byte(b)
				if got, want := routing.Scan(doc, out) == nil, json.Valid(doc); got != want {
					t.Fatalf("bytes %#x %#x at %d: got accepted %t, want %t", before, b, place+1, got, want)
				}
			}
		}
	}
}

package receive

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// hostile are documents that are ambiguous or not JSON. The field under test is
// ref, which routing reads too.
var hostile = []struct{ name, text string }{
	{"a name twice", `{"ref":"a","ref":"b"}`},
	{"a name twice, one escaped", `{"ref":"a","\u0072ef":"b"}`},
	{"another case", `{"REF":"a"}`},
	{"another case as well", `{"ref":"a","REF":"b"}`},
	{"a name twice that nobody reads", `{"ref":"a","x":1,"x":2}`},
	{"a name twice, deep inside what nobody reads", `{"ref":"a","x":{"y":1,"y":2}}`},
	{"bytes that are not UTF-8", "{\"ref\":\"a\xff\"}"},
	{"bytes that are not UTF-8, in what nobody reads", "{\"ref\":\"a\",\"x\":\"\xff\"}"},
	{"half a surrogate pair", `{"ref":"a\ud800"}`},
	{"a raw line break in a string", "{\"ref\":\"a\nb\"}"},
	{"a raw line break in what nobody reads", "{\"ref\":\"a\",\"x\":\"\n\"}"},
	{"a leading zero", `{"ref":"a","x":01}`},
	{"something after the document", `{"ref":"a"}{}`},
	{"a number for text", `{"ref":7}`},
	{"null for text", `{"ref":null}`},
}

// hostileHead is the first line of README.md's table.
const hostileHead = "| document | encoding/json | v2 | Hookhouse, encoding/json | Hookhouse, v2 |"

func TestREADMESaysWhatEachDecoderDoesWithHostileDocuments(t *testing.T) {
	table := hostileHead + "\n|---|---|---|---|---|\n"
	for _, h := range hostile {
		table += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", h.name,
			plainly(json.Unmarshal, h.text), plainly(unmarshalV2, h.text), received(t, json.Unmarshal, h.text), received(t, unmarshalV2, h.text))
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), table) {
		t.Errorf("README.md should say\n\n%s", table)
	}
}

// With options v2 accepts what encoding/json accepts.
func TestV2CanBeMadeLenient(t *testing.T) {
	lenient := func(doc []byte, v any) error {
		return jsonv2.Unmarshal(doc, v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsonv2.MatchCaseInsensitiveNames(true))
	}
	for _, h := range hostile[:len(hostile)-2] { // those two differ in types
		if want, got := plainly(json.Unmarshal, h.text), plainly(lenient, h.text); got != want {
			t.Errorf("%s: got %s, encoding/json %s", h.name, got, want)
		}
	}
}

// plainly returns the result of the decoder alone.
func plainly(decode func([]byte, any) error, text string) string {
	var v struct {
		Ref string `json:"ref"`
	}
	if err := decode([]byte(text), &v); err != nil {
		return "refused"
	}
	return fmt.Sprintf("%+q", v.Ref)
}

// received returns what a typed callback behind a Receiver gets.
func received(t *testing.T, decode func([]byte, any) error, text string) string {
	t.Helper()
	var ref string
	h := openTyped[pushPayload](PushSource, decode)(func(v any) { ref = v.(*pushPayload).Ref })
	status := sender.NewCall(sender.GitHub, text).Serve(h)
	switch {
	case status == 400:
		return "refused"
	case status != 202:
		t.Errorf("%q was answered %d", text, status)
	}
	return fmt.Sprintf("%+q", ref)
}

package inspect

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestBodiesAreShownAsWhatTheyAre(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for _, tt := range []struct {
		name, body string
		header     http.Header
		kind       string
		want       bodyView
	}{
		{"JSON", ` {"a" : [1.50, {}, [ ]], "é\"}":"x,:[", "n":null}`, nil, "", bodyView{
			Kind: "JSON", Others: []string{"text", "hex"}, Text: "{\n  \"a\": [\n    1.50,\n    {},\n    []\n  ],\n  \"é\\\"}\": \"x,:[\",\n  \"n\": null\n}",
		}},
		{"JSON as text", `{"a":1}`, nil, "text", bodyView{Kind: "text", Others: []string{"JSON", "hex"}, Text: `{"a":1}`}},
		{"JSON in a form", "payload=%7B%22a%22%3A1%7D", form, "", bodyView{
			Kind: "JSON", Others: []string{"text", "hex"}, Text: "{\n  \"a\": 1\n}", Note: "The body is a form. This is its field payload.",
		}},
		{"text", "a\tb\r\n\x1b[31mé", nil, "", bodyView{Kind: "text", Others: []string{"hex"}, Text: "a\tb\\r\n\\x1b[31mé"}},
		{"no JSON", "{", nil, "JSON", bodyView{Kind: "text", Others: []string{"hex"}, Text: "{", Note: "The body is not JSON, or is larger than 1 MiB."}},
		{"bytes", "\xff\x00A", nil, "", bodyView{Kind: "hex", Others: []string{"text"}, Text: "00000000  ff 00 41                                          |..A|\n"}},
		{"bytes as text", "\xff\x00A\ufffd\u202e", nil, "text", bodyView{Kind: "text", Others: []string{"hex"}, Text: `\xff\x00A` + "\ufffd" + `\u202e`}},
		{"empty", "", nil, "", bodyView{Kind: "text", Others: []string{"hex"}}},
	} {
		got := viewOf(&webhook.Delivery{Body: []byte(tt.body), Header: tt.header}, tt.kind)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
	}
}

func TestADeepBodyIsNotIndentedWithoutBound(t *testing.T) {
	text, cut := pretty([]byte(strings.Repeat("[1,", 150) + "2" + strings.Repeat("]", 150)))
	if cut || strings.Contains(text, strings.Repeat(" ", 2*maxIndent+1)) || !strings.Contains(text, strings.Repeat(" ", 2*maxIndent)) {
		t.Errorf("cut %t, %d bytes", cut, len(text))
	}
}

func TestALongTextIsCutAtACharacter(t *testing.T) {
	for shift := range 4 {
		text, cut := beginning([]byte(strings.Repeat("x", shift) + strings.Repeat("𝄞", shownText/4+1)))
		if !cut || strings.Contains(text, `\x`) || len(text) < shownText-4 {
			t.Errorf("shift %d: cut %t, %d bytes that end in %q", shift, cut, len(text), text[len(text)-8:])
		}
	}
}

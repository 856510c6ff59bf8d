package inspect

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// shownText is how much text of a body a page has, and shownHex how many bytes in hex.
	shownText = 64 << 10
	shownHex  = 8 << 10
	// maxPretty is the largest body that is read as JSON for a page.
	maxPretty = 1 << 20
	// maxIndent is how deep lines are indented, so that a deep body is not cut after a few
	// lines of white space.
	maxIndent = 40
)

// bodyKinds are the ways in which a body is shown.
var bodyKinds = []string{"JSON", "text", "hex"}

// A bodyView is a body as a page shows it.
type bodyView struct {
	Kind   string
	Others []string // further kinds in which it can be shown
	Text   string
	Cut    bool
	Note   string
}

// viewOf returns the body of a delivery as the given kind, or as the best one if it is
// empty.
func viewOf(d *webhook.Delivery, kind string) (v bodyView) {
	doc, isForm := document(d)
	if kind == "" {
		switch {
		case doc != nil:
			kind = "JSON"
		case utf8.Valid(d.Body):
			kind = "text"
		default:
			kind = "hex"
		}
	}
	v.Kind = kind
	for _, other := range bodyKinds {
		if other != kind && (other != "JSON" || doc != nil) {
			v.Others = append(v.Others, other)
		}
	}
	switch {
	case kind == "hex":
		v.Text, v.Cut = hex.Dump(d.Body[:min(len(d.Body), shownHex)]), len(d.Body) > shownHex
	case kind == "JSON" && doc != nil:
		v.Text, v.Cut = pretty(doc)
		if isForm {
			v.Note = "The body is a form. This is its field payload."
		}
	case kind == "JSON":
		v.Note = "The body is not JSON, or is larger than 1 MiB."
		fallthrough
	default:
		v.Kind = "text"
		v.Others = slices.DeleteFunc(v.Others, func(k string) bool { return k == "text" })
		v.Text, v.Cut = beginning(d.Body)
	}
	return v
}

// document returns the JSON of a body, or nil if it has none, or is large.
func document(d *webhook.Delivery) (doc []byte, isForm bool) {
	if len(d.Body) > maxPretty {
		return nil, false
	}
	doc, err := d.Document()
	if err != nil || !json.Valid(doc) {
		return nil, false
	}
	return doc, !bytes.Equal(doc, d.Body)
}

// beginning returns the text at the beginning of a body, and whether there is more.
func beginning(body []byte) (text string, cut bool) {
	if cut = len(body) > shownText; cut {
		body = body[:shownText]
		for n := 0; n < utf8.UTFMax-1 && len(body) > 0 && !utf8.Valid(body[len(body)-1-n:]); n++ {
			if utf8.RuneStart(body[len(body)-1-n]) {
				body = body[:len(body)-1-n] // the half of a character
				break
			}
		}
	}
	return visible(string(body), true), cut
}

// pretty returns JSON with a line for each member, and whether it is cut. The values are
// as in the body: numbers keep their digits, and members their order.
func pretty(doc []byte) (text string, cut bool) {
	var b strings.Builder
	depth, inString, escaped := 0, false, false
	line := func() {
		b.WriteByte('\n')
		for range min(depth, maxIndent) {
			b.WriteString("  ")
		}
	}
	for i, c := range doc {
		if b.Len() > shownText {
			text, _ := beginning([]byte(b.String()))
			return text, true
		}
		switch {
		case inString:
			b.WriteByte(c)
			inString = c != '"' || escaped
			escaped = c == '\\' && !escaped
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c == '{' || c == '[':
			b.WriteByte(c)
			if next := bytes.TrimLeft(doc[i+1:], " \t\r\n"); len(next) > 0 && next[0] != '}' && next[0] != ']' {
				depth++
				line()
			} else {
				depth++
			}
		case c == '}' || c == ']':
			depth--
			if before := bytes.TrimRight(doc[:i], " \t\r\n"); before[len(before)-1] != '{' && before[len(before)-1] != '[' {
				line()
			}
			b.WriteByte(c)
		case c == ',':
			b.WriteByte(c)
			line()
		case c == ':':
			b.WriteString(": ")
		default:
			inString = c == '"'
			b.WriteByte(c)
		}
	}
	return visible(b.String(), true), false
}

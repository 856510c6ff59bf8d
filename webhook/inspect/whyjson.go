package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A layout is how an encoder writes the white space of JSON.
type layout struct {
	was                 string
	indent              string // of a level; empty: one line
	afterComma, inColon string
}

// layouts are those of usual encoders.
var layouts = []layout{
	{was: "as compact JSON", inColon: ":"},
	{was: "as JSON with a space after each comma and colon", afterComma: " ", inColon: ": "},
	{was: "as JSON with lines indented by two spaces", indent: "  ", inColon: ": "},
	{was: "as JSON with lines indented by four spaces", indent: "    ", inColon: ": "},
	{was: "as JSON with lines indented by tabs", indent: "\t", inColon: ": "},
}

// laidOut returns compact JSON with another layout, and false if it becomes too large.
func laidOut(compact []byte, l layout) ([]byte, bool) {
	out := make([]byte, 0, len(compact)+len(compact)/4)
	depth, inString := 0, false
	line := func() {
		if l.indent != "" {
			out = append(out, '\n')
			for range depth {
				out = append(out, l.indent...)
			}
		}
	}
	for i := 0; i < len(compact); i++ {
		if len(out)+depth*len(l.indent) > maxVariant {
			return nil, false
		}
		c := compact[i]
		switch {
		case inString:
			out = append(out, c)
			if c == '\\' {
				i++
				out = append(out, compact[i])
			}
			inString = c != '"'
		case c == '{' || c == '[':
			out = append(out, c)
			if compact[i+1] == c+2 { // the closing one
				i++
				out = append(out, compact[i])
				continue
			}
			depth++
			line()
		case c == '}' || c == ']':
			depth--
			line()
			out = append(out, c)
		case c == ',':
			out = append(append(out, c), l.afterComma...)
			line()
		case c == ':':
			out = append(out, l.inColon...)
		default:
			inString = c == '"'
			out = append(out, c)
		}
	}
	return out, true
}

// escapings are how encoders write characters in the strings of JSON.
var escapings = []struct {
	was    string
	change func([]byte) []byte
}{
	{`with <, > and & escaped, as Go's encoding/json writes them`, func(b []byte) []byte {
		var out bytes.Buffer
		json.HTMLEscape(&out, b)
		return out.Bytes()
	}},
	{`with <, > and & not escaped`, func(b []byte) []byte {
		return unescaped(b, func(r rune) bool { return r == '<' || r == '>' || r == '&' }, false)
	}},
	{`with all characters beyond ASCII escaped`, escapedBeyondASCII},
	{`with no character beyond ASCII escaped`, func(b []byte) []byte { return unescaped(b, func(r rune) bool { return r >= utf8.RuneSelf }, false) }},
	{`with / escaped`, func(b []byte) []byte { return bytes.ReplaceAll(unescaped(b, nil, true), []byte("/"), []byte(`\/`)) }},
	{`with / not escaped`, func(b []byte) []byte { return unescaped(b, nil, true) }},
}

// unescaped returns JSON with some of its \u escapes, and \/ if slash is true, as the character
// itself.
func unescaped(doc []byte, wants func(rune) bool, slash bool) []byte {
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); i++ {
		if doc[i] != '\\' || i+1 == len(doc) {
			out = append(out, doc[i])
			continue
		}
		i++
		r, n := escapeAt(doc[i:])
		switch {
		case n > 0 && wants != nil && wants(r):
			out = utf8.AppendRune(out, r)
			i += n - 1
		case doc[i] == '/' && slash:
			out = append(out, '/')
		default:
			out = append(out, '\\', doc[i])
		}
	}
	return out
}

// escapeAt returns the character of an escape that begins with u, and its length, which is
// zero if there is none.
func escapeAt(text []byte) (r rune, n int) {
	unit := func(at int) (rune, bool) {
		if len(text) < at+5 || text[at] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(text[at+1:at+5]), 16, 16)
		return rune(v), err == nil
	}
	r, ok := unit(0)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 5
	}
	if len(text) > 5 && text[5] == '\\' {
		if low, ok := unit(6); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 11
			}
		}
	}
	return 0, 0
}

// escapedBeyondASCII returns JSON with each character beyond ASCII as \u escapes.
func escapedBeyondASCII(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		switch high, low := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf || r == utf8.RuneError:
			out = append(out, doc[i:i+n]...)
		case high != utf8.RuneError:
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	return out
}

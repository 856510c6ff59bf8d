package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// writeJSON answers with v as JSON.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	text, err := jsonText(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`+"\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the viewer has gone
	}
}

// jsonText returns v as JSON in one line with its newline. It escapes everything that
// could control a terminal, or reverse a line, since senders choose much of the text.
func jsonText(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if isPlain(plain) {
		return append(plain, '\n'), nil
	}
	var line bytes.Buffer
	line.Grow(len(plain) + len(plain)/8)
	for _, r := range string(plain) {
		switch high, low := utf16.EncodeRune(r); {
		case unicode.IsPrint(r):
			line.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&line, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}

// isPlain reports whether text has nothing but printable ASCII, as most has.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// visible returns text for a page, with everything escaped that is no printable
// character. Newlines and tabs remain if lines is true.
func visible(text string, lines bool) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case unicode.IsPrint(r) && (r != unicode.ReplacementChar || strings.HasPrefix(text[i:], "\ufffd")), lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == unicode.ReplacementChar:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

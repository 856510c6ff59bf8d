package webhook

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

// mediaType returns the type of a Content-Type value without its parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(t)
}

func isForm(h http.Header) bool {
	return strings.EqualFold(mediaType(h.Get("Content-Type")), formType)
}

// looksLikeJSON tells a JSON object or array from a form, in which both
// brackets are percent-encoded.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// formPayload returns the one field named payload. It refuses what
// url.ParseQuery refuses, and a second field of that name, of which ParseQuery's
// Get would hide one. It reads the pairs itself to copy a large body once.
func formPayload(body []byte) ([]byte, error) {
	var payload []byte
	found := false
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		plain, ok := unescape(name)
		if !ok {
			return nil, errors.New("a form field's name is badly encoded")
		}
		text, ok := unescape(value)
		if !ok {
			return nil, errors.New("a form field's value is badly encoded")
		}
		if string(plain) != "payload" {
			continue
		}
		if found {
			return nil, errors.New("form has two payload fields")
		}
		found, payload = true, text
	}
	if !found {
		return nil, errors.New("form has no payload field")
	}
	return payload, nil
}

// unescape decodes one side of a pair: "+" is a space, "%7B" a byte. A bare
// semicolon, once a separator too, is refused as ambiguous.
func unescape(text []byte) (plain []byte, ok bool) {
	plain = make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			plain = append(plain, ' ')
		case '%':
			var b [1]byte
			if i+2 >= len(text) {
				return nil, false
			}
			if _, err := hex.Decode(b[:], text[i+1:i+3]); err != nil {
				return nil, false
			}
			plain = append(plain, b[0])
			i += 2
		case ';':
			return nil, false
		default:
			plain = append(plain, c)
		}
	}
	return plain, true
}

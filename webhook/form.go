package webhook

import (
	"bytes"
	"encoding/hex"
	"errors"
)

// looksLikeJSON reports whether the body is a JSON object or array. In a form both
// brackets are percent-encoded.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// formPayload returns the value of the only field named payload. It refuses what
// url.ParseQuery refuses, and a second field of that name, which the Get method of
// ParseQuery's result would hide. It parses the form itself, so that it copies the
// payload once and nothing else.
func formPayload(body []byte) ([]byte, error) {
	var payload []byte
	found := false
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		if !isEscaped(name) {
			return nil, errors.New("a form field's name is badly encoded")
		}
		if !isEscaped(value) {
			return nil, errors.New("a form field's value is badly encoded")
		}
		if !isPayload(name) {
			continue
		}
		if found {
			return nil, errors.New("form has two payload fields")
		}
		found, payload = true, unescape(value)
	}
	if !found {
		return nil, errNoPayload
	}
	return payload, nil
}

var errNoPayload = errors.New("form has no payload field: to take its own fields register a Handler with Mux.Route and read Delivery.Body with url.ParseQuery")

// isPayload reports whether a field name, which is well encoded, is "payload".
func isPayload(name []byte) bool {
	const want = "payload"
	return len(name) <= 3*len(want) && string(unescape(name)) == want
}

// isEscaped reports whether a name or a value is well encoded. A bare semicolon, which
// used to be a separator too, is refused as ambiguous.
func isEscaped(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '%':
			var b [1]byte
			if i+2 >= len(text) {
				return false
			}
			if _, err := hex.Decode(b[:], text[i+1:i+3]); err != nil {
				return false
			}
			i += 2
		case ';':
			return false
		}
	}
	return true
}

// unescape decodes a well encoded name or value: "+" is a space, "%7B" a byte.
func unescape(text []byte) []byte {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			plain = append(plain, ' ')
		case '%':
			var b [1]byte
			_, _ = hex.Decode(b[:], text[i+1:i+3])
			plain = append(plain, b[0])
			i += 2
		default:
			plain = append(plain, c)
		}
	}
	return plain
}

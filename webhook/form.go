package webhook

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
)

// looksLikeJSON reports whether the body is a JSON object or array. In a form both
// brackets are percent-encoded.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// maxFormFields bounds the map that a form is read into: each field costs about a hundred
// bytes besides its text, and may have only one byte of text. Senders post dozens.
const maxFormFields = 1000

var (
	errNoPayload  = errors.New("form has no payload field: to take its own fields use OnForm")
	errTwoPayload = errors.New("form has two payload fields")
	errJSONForm   = errors.New("the body is JSON, not a form")
	errFormName   = errors.New("a form field's name is badly encoded")
	errFormValue  = errors.New("a form field's value is badly encoded")
	errFormFields = fmt.Errorf("form has more than %d fields", maxFormFields)
)

// formPayload returns the value of the only field named payload. It refuses what
// url.ParseQuery refuses, and a second field of that name, which the Get method of
// ParseQuery's result would hide. It copies the payload once and nothing else.
func formPayload(body []byte) ([]byte, error) {
	var payload []byte
	found := false
	err := eachField(body, func(name, value []byte) error {
		if !isPayload(name) {
			return nil
		}
		if found {
			return errTwoPayload
		}
		found, payload = true, unescape(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errNoPayload
	}
	return payload, nil
}

// formFields returns all fields, as url.ParseQuery does, up to maxFormFields.
func formFields(body []byte) (url.Values, error) {
	fields, n := url.Values{}, 0
	err := eachField(body, func(name, value []byte) error {
		if n++; n > maxFormFields {
			return errFormFields
		}
		key := string(unescape(name))
		fields[key] = append(fields[key], string(unescape(value)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fields, nil
}

// eachField calls f with the encoded name and value of each field, in order, until one is
// badly encoded or f returns an error. Empty pairs are no fields.
func eachField(body []byte, f func(name, value []byte) error) error {
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		if !isEscaped(name) {
			return errFormName
		}
		if !isEscaped(value) {
			return errFormValue
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	return nil
}

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

package handshake

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxPlain = 256     // bytes of a challenge
	maxBody  = 8 << 10 // bytes of a signed handshake
	maxQuery = 8 << 10 // bytes of a query
)

// isPlain reports whether s may be echoed as a challenge.
func isPlain(s string) bool {
	return s != "" && len(s) <= maxPlain && strings.IndexFunc(s, func(r rune) bool {
		isAlphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !isAlphanumeric && !strings.ContainsRune("-_.~+/=", r)
	}) < 0
}

// parameter returns the value of a query parameter. If the query is too long or
// malformed, or has the parameter not exactly once, ok is false.
func parameter(r *http.Request, name string) (value string, ok bool) {
	if len(r.URL.RawQuery) > maxQuery {
		return "", false
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if values := query[name]; err == nil && len(values) == 1 {
		return values[0], true
	}
	return "", false
}

// members returns the members of a JSON object, with their names in exact case, and nil
// for any other body. It does not decode a body that is too long for a handshake, or
// that does not contain word.
func members(body []byte, word string) map[string]json.RawMessage {
	if len(body) > maxBody || !bytes.Contains(body, []byte(word)) {
		return nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		return nil
	}
	return m
}

// text returns a JSON string, empty if the document is none.
func text(document json.RawMessage) string {
	var s string
	if json.Unmarshal(document, &s) != nil {
		return ""
	}
	return s
}

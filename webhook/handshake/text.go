package handshake

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/internal/scan"
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

// members reads the values at the paths from the JSON document of a signed handshake. If
// the body is too long for one, does not contain word, is not JSON, or has a name of a path
// twice or in another case, ok is false: then the body is a delivery.
func members(body []byte, word string, paths *scan.Paths, values []scan.Value) (ok bool) {
	return len(body) <= maxBody && bytes.Contains(body, []byte(word)) && paths.Scan(body, values) == nil
}

// is reports whether a value is the given JSON string.
func is(v scan.Value, text string) bool { return v.Kind == scan.String && v.String() == text }

// isNumber reports whether a value is a number that is written so.
func isNumber(v scan.Value, digits string) bool { return v.Kind == scan.Number && v.String() == digits }

// plain returns the text of a JSON string, empty if it may not be echoed.
func plain(v scan.Value) string {
	if text := v.String(); v.Kind == scan.String && isPlain(text) {
		return text
	}
	return ""
}

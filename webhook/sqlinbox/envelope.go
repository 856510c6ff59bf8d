package sqlinbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// An envelope is what a delivery came in, as JSON: readable in the database,
// and lossless, since headers may hold any bytes.
type envelope struct {
	Header http.Header `json:"header,omitempty"`
	// Raw are the headers that are not text.
	Raw       []rawHeader `json:"raw,omitempty"`
	DedupKeys []string    `json:"dedup_keys,omitempty"`
	// Marks are the dedup keys as schema versions 1 and 2 named them.
	Marks []string `json:"marks,omitempty"`
}

// A rawHeader is base64 in JSON.
type rawHeader struct {
	Name   []byte   `json:"name"`
	Values [][]byte `json:"values"`
}

func sealEnvelope(h http.Header, dedupKeys []string) ([]byte, error) {
	e := envelope{Header: h, DedupKeys: dedupKeys}
	copied := false
	for name, values := range h {
		if isTextHeader(name, values) {
			continue
		}
		if !copied {
			e.Header, copied = textHeaders(h), true
		}
		raw := rawHeader{Name: []byte(name)}
		for _, v := range values {
			raw.Values = append(raw.Values, []byte(v))
		}
		e.Raw = append(e.Raw, raw)
	}
	return json.Marshal(e)
}

func openEnvelope(text []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return envelope{}, err
	}
	e.DedupKeys, e.Marks = append(e.DedupKeys, e.Marks...), nil
	if e.Header == nil && len(e.Raw) > 0 {
		e.Header = make(http.Header, len(e.Raw))
	}
	for _, raw := range e.Raw {
		values := make([]string, len(raw.Values))
		for i, v := range raw.Values {
			values[i] = string(v)
		}
		e.Header[string(raw.Name)] = values
	}
	return e, nil
}

func textHeaders(h http.Header) http.Header {
	clean := make(http.Header, len(h))
	for name, values := range h {
		if isTextHeader(name, values) {
			clean[name] = values
		}
	}
	return clean
}

func isTextHeader(name string, values []string) bool {
	for _, v := range values {
		if !isText(v) {
			return false
		}
	}
	return isText(name)
}

// isText reports whether every database takes s as text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

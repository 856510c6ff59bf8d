package sqlinbox

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

// An envelope is what a delivery came in, as JSON: readable in the database,
// and lossless, since headers may hold any bytes.
type envelope struct {
	Header http.Header `json:"header,omitempty"`
	// Raw are the headers that are not text.
	Raw       []rawHeader `json:"raw,omitempty"`
	DedupKeys []string    `json:"dedup_keys,omitempty"`
	// OldDedupKeys are the dedup keys as schema versions 1 and 2 named them.
	OldDedupKeys []string `json:"marks,omitempty"`
	// NotBefore is in microseconds since 1970. Rows of schema version 3 have none of this
	// and what follows.
	NotBefore int64  `json:"not_before,omitempty"`
	Malformed string `json:"malformed,omitempty"`
	Unsigned  string `json:"unsigned,omitempty"`
}

// A rawHeader is base64 in JSON.
type rawHeader struct {
	Name   []byte   `json:"name"`
	Values [][]byte `json:"values"`
}

// sealEnvelope returns the JSON of the envelope of d, as encoding/json would make it.
// Every Put needs one. The dedup keys, Malformed and Unsigned must be text; see isText.
func sealEnvelope(d *webhook.Delivery, notBefore int64) []byte {
	h, dedupKeys := d.Header, d.DedupKeys
	var few [32]string
	names := few[:0]
	size, raw := 64+len(d.Malformed)+len(d.Unsigned), false
	for name, values := range h {
		names = append(names, name)
		raw = raw || !isTextHeader(name, values)
		size += len(name) + 8
		for _, v := range values {
			size += len(v) + 4
		}
	}
	slices.Sort(names)
	for _, k := range dedupKeys {
		size += len(k) + 4
	}
	b := append(make([]byte, 0, size), '{')
	b = appendHeaders(b, h, names)
	if raw {
		b = appendRawHeaders(b, h, names)
	}
	if len(dedupKeys) > 0 {
		b = append(appendComma(b), `"dedup_keys":`...)
		b = appendJSONStrings(b, dedupKeys)
	}
	if notBefore != 0 {
		b = append(appendComma(b), `"not_before":`...)
		b = strconv.AppendInt(b, notBefore, 10)
	}
	if d.Malformed != "" {
		b = append(appendComma(b), `"malformed":`...)
		b = appendJSONString(b, d.Malformed)
	}
	if d.Unsigned != "" {
		b = append(appendComma(b), `"unsigned":`...)
		b = appendJSONString(b, d.Unsigned)
	}
	return append(b, '}')
}

// appendHeaders appends the headers of these names that are text, unless there are
// none.
func appendHeaders(b []byte, h http.Header, names []string) []byte {
	start := len(b)
	for _, name := range names {
		values := h[name]
		if !isTextHeader(name, values) {
			continue
		}
		if len(b) == start {
			b = append(b, `"header":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, name), ':')
		b = appendJSONStrings(b, values)
	}
	if len(b) > start {
		b = append(b, '}')
	}
	return b
}

// appendRawHeaders appends those that are not text.
func appendRawHeaders(b []byte, h http.Header, names []string) []byte {
	b = append(appendComma(b), `"raw":[`...)
	for _, name := range names {
		values := h[name]
		if isTextHeader(name, values) {
			continue
		}
		b = append(appendCommaAfter(b, '['), `{"name":`...)
		b = append(appendBase64(b, name), `,"values":`...)
		if len(values) == 0 {
			b = append(b, `null}`...)
			continue
		}
		b = append(b, '[')
		for _, v := range values {
			b = appendBase64(appendCommaAfter(b, '['), v)
		}
		b = append(b, `]}`...)
	}
	return append(b, ']')
}

func appendBase64(b []byte, text string) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(text))
	return append(b, '"')
}

func openEnvelope(text []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return envelope{}, err
	}
	e.DedupKeys, e.OldDedupKeys = append(e.DedupKeys, e.OldDedupKeys...), nil
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

// fill sets what of d is in the envelope.
func (e *envelope) fill(d *webhook.Delivery) {
	d.Header, d.DedupKeys, d.Malformed, d.Unsigned = e.Header, e.DedupKeys, e.Malformed, e.Unsigned
	if e.NotBefore != 0 {
		d.NotBefore = time.UnixMicro(e.NotBefore)
	}
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

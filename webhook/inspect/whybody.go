package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/maphash"
	"net/url"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxVariant is the largest body that is made of another.
const maxVariant = 1 << 20

// reencoded looks for a body that something between the sender and here has changed.
func (x *examination) reencoded(s scheme) bool {
	seed, seen := maphash.MakeSeed(), make(map[uint64]bool)
	seen[maphash.Bytes(seed, x.call.body)] = true
	found := false
	x.variants(func(cause, was string, body []byte) bool {
		if !x.spend(len(body)) {
			return false
		}
		sum := maphash.Bytes(seed, body)
		if seen[sum] || len(body) > maxVariant {
			return true
		}
		seen[sum] = true
		for _, k := range s.keys {
			if x.accepts(s.with(k), body) {
				x.add(proven, cause, "%s It was made with the key %s. A proxy, a gateway or a middleware between has changed the body: let it pass every byte as it is.", was, keyName(k))
				found = true
				return false
			}
		}
		return !x.exhausted
	})
	return found
}

// variants calls try with what the sender may have signed, the likeliest first, until it
// returns false. try gets the cause and a sentence for it.
func (x *examination) variants(try func(cause, was string, body []byte) bool) {
	const signed = "The signature is that of the body "
	body := x.call.body
	form := &webhook.Delivery{Header: x.r.Header, Body: body}
	if doc, err := form.Document(); err == nil && !bytes.Equal(doc, body) {
		if !try("form_of_json", "The body is a form, and the signature is that of the JSON in its field payload.", doc) {
			return
		}
	}
	if !try("json_of_form", "The body is JSON, and the signature is that of a form with it as the field payload.", []byte("payload="+url.QueryEscape(string(body)))) {
		return
	}
	if raw, err := base64.StdEncoding.DecodeString(string(body)); err == nil && !try("body_reencoded", "The body is Base64, and the signature is that of what it is the Base64 of.", raw) {
		return
	}
	for _, end := range endings {
		if !try("body_reencoded", signed+end.was+".", end.change(body)) {
			return
		}
	}
	type text struct {
		was  string
		body []byte
	}
	escaped := []text{{"", body}}
	if json.Valid(body) {
		for _, e := range escapings {
			if other := e.change(body); !bytes.Equal(other, body) {
				escaped = append(escaped, text{e.was, other})
			}
		}
	}
	for _, end := range endings {
		for _, e := range escaped {
			bodies := []text{e}
			if compact, ok := compacted(e.body); ok {
				for _, l := range layouts {
					if laid, ok := laidOut(compact, l); ok {
						bodies = append(bodies, text{join(l.was, e.was), laid})
					} else if !x.spend(maxVariant) {
						return
					}
				}
			}
			for _, b := range bodies {
				if !try("body_reencoded", signed+join(b.was, end.was)+".", end.change(b.body)) {
					return
				}
			}
		}
	}
}

// join joins two descriptions.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " and " + b
}

func compacted(body []byte) ([]byte, bool) {
	var b bytes.Buffer
	err := json.Compact(&b, body)
	return b.Bytes(), err == nil
}

// endings are changes of line ends, and of the end of a body.
var endings = []struct {
	was    string
	change func([]byte) []byte
}{
	{"", func(b []byte) []byte { return b }},
	{"with a newline at its end", ending("\n")},
	{"without the newline at its end", func(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }},
	{"with CR LF at its end", ending("\r\n")},
	{"with LF as line ends", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
	{"with CR LF as line ends", func(b []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}},
	{"with a byte order mark", func(b []byte) []byte { return append([]byte("\ufeff"), b...) }},
	{"without its byte order mark", func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }},
}

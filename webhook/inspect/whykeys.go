package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode"

	"github.com/hookhouse/hookhouse/webhook"
)

// accepts reports whether a verifier with one key accepts the call with a body. It counts what
// that computes, and tries nothing beyond the limit.
func (x *examination) accepts(v webhook.Verifier, body []byte) bool {
	if !isValid(v) {
		return false
	}
	// One that signs a URL computes a second MAC for its own hint.
	if x.macs -= 2; x.macs < 0 {
		x.exhausted = true
		return false
	}
	if !x.spend(2 * (len(body) + 256)) {
		return false
	}
	_, err := v.Verify(x.r, body)
	return err == nil
}

// spend counts bytes that are hashed, or made of the body, and reports false beyond the limit.
func (x *examination) spend(n int) bool {
	if x.bytes -= int64(n); x.bytes < 0 {
		x.exhausted = true
	}
	return x.bytes >= 0
}

// keyName returns how a key is called: labels are not secret.
func keyName(k webhook.Key) string {
	if k.Label == "" {
		return "without a label"
	}
	return fmt.Sprintf("with the label %q", clip(k.Label, 64))
}

// A secretChange is a common mistake with a secret.
type secretChange struct {
	cause, help string
	change      func([]byte) []byte
}

// secretChanges make the secret that the sender has of ours.
var secretChanges = []secretChange{
	{"secret_padded", "Our secret %s begins or ends in white space, such as the newline of the file that it was read from. Without that it is the sender's: trim what is read.", bytes.TrimSpace},
	{"secret_quoted", "Our secret %s is in quotes, such as those of a settings file. Without them it is the sender's.", func(s []byte) []byte { return bytes.Trim(bytes.TrimSpace(s), `"'`) }},
	{"sender_secret_padded", "The sender's secret is ours %s with a newline at its end. Enter it there again, without.", ending("\n")},
	{"sender_secret_padded", "The sender's secret is ours %s with a newline (CR LF) at its end. Enter it there again, without.", ending("\r\n")},
	{"sender_secret_padded", "The sender's secret is ours %s with a space at its end. Enter it there again, without.", ending(" ")},
	{"sender_secret_padded", "The sender's secret is ours %s with a space at its beginning. Enter it there again, without.", func(s []byte) []byte { return append([]byte(" "), s...) }},
	{"secret_encoded", "The sender uses the bytes of which our secret %s is the Base64. Decode it before it becomes a Secret.", decodedBase64},
	{"secret_encoded", "The sender uses the bytes of which our secret %s is the hex text. Decode it before it becomes a Secret.", decodedHex},
	{"secret_encoded", "The sender uses our secret %s percent-encoded, as in a URL.", func(s []byte) []byte { return []byte(strings.ReplaceAll(url.QueryEscape(string(s)), "+", "%20")) }},
}

func ending(text string) func([]byte) []byte {
	return func(s []byte) []byte { return append(bytes.Clone(s), text...) }
}

func decodedBase64(s []byte) []byte {
	raw, err := base64.StdEncoding.DecodeString(string(s))
	if err != nil {
		return nil
	}
	return raw
}

func decodedHex(s []byte) []byte {
	raw, err := hex.DecodeString(string(s))
	if err != nil {
		return nil
	}
	return raw
}

// secrets looks for a mistake with a secret, and reports whether it found one.
func (x *examination) secrets(s scheme, body []byte) bool {
	for _, c := range secretChanges {
		for _, k := range s.keys {
			ours := k.Secret.Reveal()
			other := c.change(ours)
			if len(other) == 0 || bytes.Equal(other, ours) {
				continue
			}
			if x.accepts(s.with(webhook.Key{Label: k.Label, Secret: webhook.NewSecret(string(other))}), body) {
				x.add(proven, c.cause, c.help, keyName(k))
				return true
			}
		}
	}
	if s.encodes == nil {
		return false
	}
	for _, k := range s.keys {
		text := bytes.TrimFunc(k.Secret.Reveal(), unicode.IsSpace)
		for _, raw := range [][]byte{text, bytes.TrimPrefix(text, []byte("whsec_"))} {
			if x.accepts(s.with(webhook.Key{Secret: webhook.NewSecret(string(s.encodes(raw)))}), body) {
				x.add(proven, "secret_encoded", "The sender signs with the text of the secret %s, and the key is what that text is the Base64 of. Let the sender decode it.", keyName(k))
				return true
			}
		}
	}
	return false
}

// foreign looks for keys that are not those of the route: old ones, and those of other watched
// Sources.
func (x *examination) foreign(s scheme, body []byte) bool {
	for _, k := range x.old {
		if x.accepts(s.with(k), body) {
			x.add(proven, "old_key", "It is the key %s, which is no longer accepted. Give the sender the present secret.", keyName(k))
			return true
		}
	}
	for _, src := range x.sources {
		if src.Verifier == nil || isSame(src.Verifier, x.call.source.Verifier) {
			continue
		}
		for _, v := range leaves(src.Verifier) {
			theirs, ok := schemeOf(v, x.r)
			if !ok {
				continue
			}
			for _, k := range theirs.keys {
				if s.with != nil && x.accepts(s.with(k), body) || theirs.signs == s.signs && x.accepts(theirs.with(k), body) {
					x.add(proven, "other_source", "It is the key %s of source %s: the sender calls the URL of another route, or two secrets are exchanged.", keyName(k), src.Name)
					return true
				}
			}
		}
	}
	return false
}

// isSame reports whether two verifiers are one. A verifier of the program may be of a type that
// cannot be compared.
func isSame(a, b webhook.Verifier) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// otherURL looks for a registered URL that is not the one which the sender has.
func (x *examination) otherURL(s scheme, body []byte) bool {
	if s.at == nil || x.call.urlLeft {
		return false
	}
	for _, start := range []string{"https://", "http://"} {
		called := start + x.r.Host + x.r.URL.RequestURI()
		base, _, hasQuery := strings.Cut(called, "?")
		for _, u := range []string{called, base} {
			for _, k := range s.keys {
				if (u == called || hasQuery) && x.accepts(s.at(k, u), body) {
					x.add(proven, "other_url", "The signature covers the URL, and it is right for the one that was called, at %s%s. URL of the verifier is another one.", start, clip(x.r.Host, 128))
					return true
				}
			}
		}
	}
	return false
}

package inspect

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A scheme is how a verifier proves a call, with keys that can be replaced.
type scheme struct {
	keys  []webhook.Key // live; none is empty
	err   error         // why they could not be looked up
	signs bool          // the proof covers the body
	// with returns the verifier with one key, which takes a timestamp of any age.
	with func(webhook.Key) webhook.Verifier
	// at is with for another registered URL; nil if the proof covers none.
	at func(webhook.Key, string) webhook.Verifier
	// encodes returns a secret whose key is the text of another one; nil if a secret is its own
	// key.
	encodes func([]byte) []byte
}

// anyAge is a tolerance that every timestamp is within.
const anyAge = 200 * 365 * 24 * time.Hour

// schemeOf returns the scheme of a verifier of package webhook, and false for another one.
func schemeOf(v webhook.Verifier, r *http.Request) (s scheme, ok bool) {
	switch v := v.(type) {
	case *webhook.HMAC:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		like := func() *webhook.HMAC {
			m := &webhook.HMAC{
				Header: v.Header, Prefix: v.Prefix, Hash: v.Hash, Encoding: v.Encoding, Items: v.Items, Signed: v.Signed,
				TimestampHeader: v.TimestampHeader, IDHeader: v.IDHeader, URL: v.URL, URLFunc: v.URLFunc,
			}
			if v.TimestampHeader != "" || v.Items.Time != "" {
				m.Tolerance = anyAge
			}
			return m
		}
		s.signs = true
		s.with = func(k webhook.Key) webhook.Verifier {
			m := like()
			m.Keys = []webhook.Key{k}
			return m
		}
		if v.URL != "" || v.URLFunc != nil {
			s.at = func(k webhook.Key, u string) webhook.Verifier {
				m := like()
				m.Keys, m.URL, m.URLFunc = []webhook.Key{k}, u, nil
				return m
			}
		}
	case *webhook.StandardWebhooks:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		s.signs = true
		s.with = func(k webhook.Key) webhook.Verifier {
			return &webhook.StandardWebhooks{Keys: []webhook.Key{k}, HeaderPrefix: v.HeaderPrefix, Tolerance: anyAge}
		}
		s.encodes = func(secret []byte) []byte { return []byte("whsec_" + base64.StdEncoding.EncodeToString(secret)) }
	case *webhook.Ed25519:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		s.signs = true
		s.with = func(k webhook.Key) webhook.Verifier {
			e := &webhook.Ed25519{
				Header: v.Header, Prefix: v.Prefix, Encoding: v.Encoding, Signed: v.Signed, TimestampHeader: v.TimestampHeader,
				IDHeader: v.IDHeader, URL: v.URL, URLFunc: v.URLFunc, Keys: []webhook.Key{k},
			}
			if v.TimestampHeader != "" {
				e.Tolerance = anyAge
			}
			return e
		}
	case *webhook.Twilio:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		s.signs = true
		s.with = func(k webhook.Key) webhook.Verifier {
			return &webhook.Twilio{URL: v.URL, URLFunc: v.URLFunc, Keys: []webhook.Key{k}}
		}
		s.at = func(k webhook.Key, u string) webhook.Verifier { return &webhook.Twilio{URL: u, Keys: []webhook.Key{k}} }
	case *webhook.Token:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		s.with = func(k webhook.Key) webhook.Verifier {
			return &webhook.Token{PathValue: v.PathValue, Query: v.Query, Header: v.Header, Prefix: v.Prefix, Keys: []webhook.Key{k}}
		}
	case *webhook.BasicAuth:
		s = newScheme(r, v.Keys, v.KeysFunc, v.KeysFor)
		s.with = func(k webhook.Key) webhook.Verifier { return &webhook.BasicAuth{User: v.User, Keys: []webhook.Key{k}} }
	default:
		return s, false
	}
	return s, true
}

// newScheme returns a scheme with the live keys for a request.
func newScheme(r *http.Request, keys []webhook.Key, live func() []webhook.Key, each func(*http.Request) ([]webhook.Key, error)) (s scheme) {
	switch {
	case each != nil:
		keys, s.err = each(r)
	case live != nil:
		keys = live()
	}
	for _, k := range keys {
		if !k.Secret.IsZero() {
			s.keys = append(s.keys, k)
		}
	}
	return s
}

func isValid(v webhook.Verifier) bool {
	c, ok := v.(interface{ Validate() error })
	return ok && c.Validate() == nil
}

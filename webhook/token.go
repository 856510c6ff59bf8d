package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// Token verifies a secret that travels in the call itself, in exactly one of
// three places. It proves that the caller knows the URL, not that the body is
// genuine: for senders that cannot sign. It is compared in constant time, and
// before a byte of the body is read. Fields are not changed after Validate.
type Token struct {
	PathValue string       // name of a ServeMux wildcard: "token" for "/hooks/dockerhub/{token}"
	Query     string       // name of a query parameter
	Header    string       // name of a header; left out of Delivery.Header
	Prefix    string       // before the token in Header, such as "Bearer "
	Keys      []Key        // all live at once; of one sender, see Key
	KeysFunc  func() []Key // Zero means Keys. Called for each request.

	valid atomic.Bool
}

// Validate refuses no place or more than one, an empty key list, and an empty
// secret.
func (t *Token) Validate() error {
	places := 0
	for _, p := range []string{t.PathValue, t.Query, t.Header} {
		if p != "" {
			places++
		}
	}
	if places != 1 {
		return errors.New("webhook: Token needs one of PathValue, Query and Header")
	}
	if err := validateKeys("Token", liveKeys(t.Keys, t.KeysFunc)); err != nil {
		return err
	}
	t.valid.Store(true)
	return nil
}

// Admit passes if the token is one of the live ones.
func (t *Token) Admit(r *http.Request) error {
	_, err := t.Verify(r, nil)
	return err
}

// Verify does what Admit does; the Proof has the key's label.
func (t *Token) Verify(r *http.Request, _ []byte) (Proof, error) {
	if !t.valid.Load() {
		return Proof{}, errNotValidated
	}
	given, place, ok := t.given(r)
	if !ok {
		return Proof{}, fmt.Errorf("%w: no token in %s", ErrUnverified, place)
	}
	keys := liveKeys(t.Keys, t.KeysFunc)
	label, ok := matchKey(keys, given)
	if !ok {
		return Proof{}, fmt.Errorf("%w: token in %s matches no live key %s", ErrUnverified, place, tried(keys))
	}
	return Proof{KeyLabel: label}, nil
}

// Sign puts the first key in its place. For PathValue that is the wildcard in
// the request's URL path, so that a pattern such as "/hooks/dockerhub/{token}"
// serves as the target; it fails where the path has none.
func (t *Token) Sign(r *http.Request, _ []byte) error {
	keys := liveKeys(t.Keys, t.KeysFunc)
	if err := validateKeys("Token", keys); err != nil {
		return err
	}
	secret := string(keys[0].Secret.bytes())
	switch {
	case t.PathValue != "":
		wildcard := "{" + t.PathValue + "}"
		if !strings.Contains(r.URL.Path, wildcard) {
			return errCannotSign
		}
		escaped := strings.ReplaceAll(r.URL.EscapedPath(), url.PathEscape(wildcard), url.PathEscape(secret))
		r.URL.Path = strings.ReplaceAll(r.URL.Path, wildcard, secret)
		r.URL.RawPath = escaped
		r.SetPathValue(t.PathValue, secret)
	case t.Query != "":
		q := r.URL.Query()
		q.Set(t.Query, secret)
		r.URL.RawQuery = q.Encode()
	default:
		r.Header.Set(t.Header, t.Prefix+secret)
	}
	return nil
}

// carried returns the token as a proxy may copy it out of the URL: decoded and
// percent-encoded.
func (t *Token) carried(r *http.Request) []string {
	given, _, ok := t.given(r)
	if ok && t.Header == "" {
		_, ok = matchKey(liveKeys(t.Keys, t.KeysFunc), given)
	}
	if !ok || t.Header != "" {
		return nil
	}
	return slices.Compact([]string{given, url.PathEscape(given), url.QueryEscape(given)})
}

// CredentialHeaders returns the header that carries the token, if one does.
func (t *Token) CredentialHeaders() []string {
	if t.Header == "" {
		return nil
	}
	return []string{t.Header}
}

func (t *Token) paddedSecrets() []string { return paddedKeys(liveKeys(t.Keys, t.KeysFunc)) }

// given returns the token of the request and the name of its place.
func (t *Token) given(r *http.Request) (token, place string, ok bool) {
	switch {
	case t.PathValue != "":
		token = r.PathValue(t.PathValue)
		return token, "the path", token != ""
	case t.Query != "":
		if r.URL.RawQuery == "" {
			return "", "the query", false
		}
		values := r.URL.Query()[t.Query]
		if len(values) != 1 {
			return "", "the query", false
		}
		return values[0], "the query", values[0] != ""
	default:
		values := r.Header.Values(t.Header)
		if len(values) != 1 {
			return "", t.Header, false
		}
		token, ok = strings.CutPrefix(values[0], t.Prefix)
		return token, t.Header, ok && token != ""
	}
}

// URLToken returns the verifier for a token that is either the ServeMux
// wildcard {token} of the path or the query parameter token: for senders whose
// URL is all that one can set. Each place may be tried with all keys.
func URLToken(keys ...Key) *AnyOf {
	return NewAnyOf(&Token{PathValue: "token", Keys: keys}, &Token{Query: "token", Keys: keys})
}

// matchKey returns the label of the first key that equals given. It compares
// digests, and every key, so that its time tells neither length nor place.
func matchKey(keys []Key, given string) (label string, ok bool) {
	got := sha256.Sum256([]byte(given))
	for _, k := range keys {
		want := sha256.Sum256(k.Secret.bytes())
		equal := subtle.ConstantTimeCompare(want[:], got[:]) == 1
		if equal && !ok && !k.Secret.IsZero() {
			label, ok = k.Label, true
		}
	}
	return label, ok
}

package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// Token verifies a secret that is part of the request: in the path, in the query, or
// in a header. It is for senders that cannot sign: it proves that the caller knows the
// secret, not that the body is authentic. The comparison takes constant time and
// happens before the body is read. Set exactly one of PathValue, Query and Header.
// The fields must not be changed after Validate.
type Token struct {
	PathValue string       // name of a ServeMux wildcard: "token" for "/hooks/dockerhub/{token}"
	Query     string       // name of a query parameter
	Header    string       // name of a header; left out of Delivery.Header
	Prefix    string       // before the token in Header, such as "Bearer "
	Keys      []Key        // accepted keys, all of one sender; see [Key]
	KeysFunc  func() []Key // if not nil, returns the keys in place of Keys; called for each request
	// KeysFor, if not nil, returns the keys of the sender of a request; see
	// [HMAC.KeysFor]. It is called for any request with a token in the right place,
	// since Admit compares it. A [Receiver] calls it once for a request.
	KeysFor func(*http.Request) ([]Key, error)

	valid atomic.Bool
}

// Validate refuses a Token unless exactly one of PathValue, Query and Header is set.
// It also refuses an empty key list, an empty secret, and more than one of Keys,
// KeysFunc and KeysFor.
func (t *Token) Validate() error {
	places := 0
	for _, p := range []string{t.PathValue, t.Query, t.Header} {
		if p != "" {
			places++
		}
	}
	if places != 1 {
		return errors.New("webhook: Token needs exactly one of PathValue, Query and Header")
	}
	if err := t.keySource().validate(nil); err != nil {
		return err
	}
	t.valid.Store(true)
	return nil
}

// Admit returns nil if the token matches a key.
func (t *Token) Admit(r *http.Request) error {
	_, err := t.Verify(r, nil)
	return err
}

// Verify checks the same as Admit. The Proof has the label of the matching key.
func (t *Token) Verify(r *http.Request, _ []byte) (Proof, error) {
	if !t.valid.Load() {
		return Proof{}, errNotValidated
	}
	given, place, ok := t.read(r)
	if !ok {
		return Proof{}, fmt.Errorf("%w: no token in %s", ErrUnverified, place)
	}
	keys, err := t.keySource().of(r)
	if err != nil {
		return Proof{}, err
	}
	label, ok := matchKey(keys, given)
	if !ok {
		return Proof{}, fmt.Errorf("%w: token in %s matches no live key %s", ErrUnverified, place, triedKeys(keys))
	}
	return Proof{KeyLabel: label}, nil
}

// Sign adds the first key to the request. For PathValue it replaces the wildcard in
// the path of the request's URL, so the URL can be a pattern such as
// "/hooks/dockerhub/{token}". It fails if the path has no such wildcard.
func (t *Token) Sign(r *http.Request, _ []byte) error {
	key, err := t.keySource().signing(r, nil)
	if err != nil {
		return err
	}
	secret := string(key.Secret.bytes())
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

// urlSecrets returns the token decoded and percent-encoded: a proxy may copy either
// from the URL.
func (t *Token) urlSecrets(r *http.Request) []string {
	given, _, ok := t.read(r)
	if !ok || t.Header != "" {
		return nil
	}
	// If the keys cannot be looked up, the token may be a secret.
	if keys, err := t.keySource().of(r); err == nil {
		if _, ok := matchKey(keys, given); !ok {
			return nil
		}
	}
	return slices.Compact([]string{given, url.PathEscape(given), url.QueryEscape(given)})
}

// CredentialHeaders returns Header, if it is set.
func (t *Token) CredentialHeaders() []string {
	if t.Header == "" {
		return nil
	}
	return []string{t.Header}
}

func (t *Token) keySource() keySource {
	return keySource{verifier: "Token", owner: t, keys: t.Keys, live: t.KeysFunc, each: t.KeysFor}
}

func (t *Token) paddedSecrets() []string { return t.keySource().padded() }

func (t *Token) asksKeys() bool { return t.KeysFor != nil }

// read returns the token of the request, and a text that says where it was expected.
func (t *Token) read(r *http.Request) (token, place string, ok bool) {
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

// URLToken returns a verifier of a token that is either the ServeMux wildcard {token}
// of the path or the query parameter "token". It is for senders that allow no setting
// but the URL. All keys are accepted in both places.
func URLToken(keys ...Key) *AnyOf {
	return NewAnyOf(&Token{PathValue: "token", Keys: keys}, &Token{Query: "token", Keys: keys})
}

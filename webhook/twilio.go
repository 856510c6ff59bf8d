package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

const (
	twilioHeader = "X-Twilio-Signature"
	twilioHash   = "bodySHA256" // query parameter of calls that are not forms
)

// Twilio verifies requests of Twilio: a Base64 HMAC-SHA1 in X-Twilio-Signature. There
// are two kinds of requests:
//
//   - A form. The signed text is URL, and then name and value of each parameter, in
//     order of the names. Of a name with several values it has each value once, in
//     order, each after the name, as Twilio's own libraries do.
//   - Another body, such as JSON. The signed text is URL with the request's own query
//     parameter bodySHA256, which is the SHA-256 of the body in hex.
//
// Nothing else of the request is signed: neither a time nor an ID, so a captured
// request is valid at any later time. The signed text of a form does not say where a
// name ends: a=bc and ab=c have the same signature, and so have a body and one with its
// parameters in another order. Do not let a decision depend on which parameters exist,
// and set [Description.DedupBySignature], so that an altered copy is a duplicate. Also, if
// another URL of the account begins with this one, a captured call to it can be altered
// into a form for this URL. So no registered URL should be the beginning of another.
//
// A form with more than 1000 parameters is refused. Its text is copied while it is
// verified. The fields must not be changed after Validate. See
// https://www.twilio.com/docs/usage/webhooks/webhooks-security.
type Twilio struct {
	// URL is the URL exactly as it is registered with Twilio, with its query. The URL of
	// the request is never used, except for bodySHA256. Required unless URLFunc is set.
	// Twilio signs some calls with the port and others without it: if the registered URL
	// has one, use AnyOf of both.
	URL     string
	URLFunc func(*http.Request) (string, error) // see [HMAC.URLFunc]

	Keys     []Key                              // auth tokens of one account; see [Key]
	KeysFunc func() []Key                       // if not nil, returns the keys in place of Keys; called for each request
	KeysFor  func(*http.Request) ([]Key, error) // see [HMAC.KeysFor]

	valid atomic.Bool
}

// Validate refuses a missing URL or one that is not absolute, URL with URLFunc, an empty
// key list, an empty secret, and more than one of Keys, KeysFunc and KeysFor.
func (t *Twilio) Validate() error {
	if err := t.registered().validate(); err != nil {
		return fmt.Errorf("webhook: Twilio: %w", err)
	}
	if t.registered().isZero() {
		return errors.New("webhook: Twilio: neither URL nor URLFunc is set: Twilio signs the URL")
	}
	if strings.Contains(t.URL, twilioHash) {
		return fmt.Errorf("webhook: Twilio: URL has %s, which Twilio adds to each call", twilioHash)
	}
	if err := t.keySource().validate(nil); err != nil {
		return err
	}
	t.valid.Store(true)
	return nil
}

// Admit returns nil if the request has the header once, well formed, and is a form or
// has bodySHA256.
func (t *Twilio) Admit(r *http.Request) error {
	_, _, err := t.parse(r)
	return err
}

// Verify compares the MAC in the header with that of the signed text under each key.
// The Proof has the label of the matching key, and the MAC as Signature.
func (t *Twilio) Verify(r *http.Request, body []byte) (Proof, error) {
	mac, hash, err := t.parse(r)
	if err != nil {
		return Proof{}, err
	}
	params, err := twilioParams(hash, body)
	if err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrUnverified, err)
	}
	keys, err := t.keySource().of(r)
	if err != nil {
		return Proof{}, err
	}
	registered, err := t.registered().of("Twilio", r)
	if err != nil {
		return Proof{}, err
	}
	if label, ok := matchTwilio(keys, twilioURL(registered, hash), params, mac[:]); ok {
		return Proof{KeyLabel: label, Signature: mac[:]}, nil
	}
	hint := bodyHint(r, body)
	if _, ok := matchTwilio(keys, requestURL(r), params, mac[:]); ok {
		hint = otherURL
	}
	return Proof{}, fmt.Errorf("%w: %s matches no live key %s (it covers the URL and the body)%s", ErrUnverified, twilioHeader, triedKeys(keys), hint)
}

// Sign sets the header. It signs with the first key and URL. If the Content-Type is not
// that of a form, Sign also sets bodySHA256 in the URL of the request.
func (t *Twilio) Sign(r *http.Request, body []byte) error {
	key, err := t.keySource().signing(r, nil)
	if err != nil {
		return err
	}
	registered, err := t.registered().of("Twilio", r)
	if err != nil {
		return err
	}
	hash := ""
	if !isForm(r.Header) {
		sum := sha256.Sum256(body)
		hash = hex.EncodeToString(sum[:])
	}
	params, err := twilioParams(hash, body)
	if err != nil {
		return fmt.Errorf("webhook: Twilio: cannot sign: %w", err)
	}
	query := slices.DeleteFunc(strings.Split(r.URL.RawQuery, "&"), func(pair string) bool {
		return pair == "" || strings.HasPrefix(pair, twilioHash+"=")
	})
	if hash != "" {
		query = append(query, twilioHash+"="+hash)
	}
	r.URL.RawQuery = strings.Join(query, "&")
	r.Header.Set(twilioHeader, Base64.encode(twilioMAC(key.Secret, twilioURL(registered, hash), params)))
	return nil
}

func (t *Twilio) keySource() keySource {
	return keySource{verifier: "Twilio", owner: t, keys: t.Keys, live: t.KeysFunc, each: t.KeysFor}
}

func (t *Twilio) registered() registeredURL { return registeredURL{t.URL, t.URLFunc} }

func (t *Twilio) paddedSecrets() []string { return t.keySource().padded() }

func (t *Twilio) asksKeys() bool { return t.KeysFor != nil }

// parse returns the MAC in the header, and bodySHA256, which is empty for a form.
func (t *Twilio) parse(r *http.Request) (mac [sha1.Size]byte, hash string, err error) {
	if !t.valid.Load() {
		return mac, "", errNotValidated
	}
	text, err := oneValue(r, twilioHeader)
	if err != nil {
		return mac, "", err
	}
	if !Base64.decode(mac[:], text) {
		return mac, "", fmt.Errorf("%w: %s is not a digest of %d bytes in Base64", ErrUnverified, twilioHeader, len(mac))
	}
	found := 0
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if value, ok := strings.CutPrefix(pair, twilioHash+"="); ok {
			hash = value
			found++
		}
	}
	switch {
	case found > 1:
		return mac, "", fmt.Errorf("%w: the URL has %s %d times", ErrUnverified, twilioHash, found)
	case found == 1 && !Hex.decode(make([]byte, sha256.Size), hash):
		return mac, "", fmt.Errorf("%w: %s in the URL is not a SHA-256 in hex", ErrUnverified, twilioHash)
	case found == 0 && !isForm(r.Header):
		return mac, "", fmt.Errorf("%w: the body is not a form, and the URL has no %s: nothing signs the body", ErrUnverified, twilioHash)
	}
	return mac, hash, nil
}

// twilioParams returns what the signed text has after the URL: the parameters of a form.
// If hash is not empty, there are none, and the body must have that SHA-256.
func twilioParams(hash string, body []byte) ([]byte, error) {
	if hash != "" {
		sum, want := sha256.Sum256(body), [sha256.Size]byte{}
		if !Hex.decode(want[:], hash) || !bytes.Equal(sum[:], want[:]) {
			return nil, fmt.Errorf("the body does not have the SHA-256 in %s", twilioHash)
		}
		return nil, nil
	}
	if n := bytes.Count(body, []byte("&")) + 1; n > maxFormFields {
		return nil, fmt.Errorf("a form of %d parameters, more than %d", n, maxFormFields)
	}
	form, err := formFields(body)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	text := make([]byte, 0, len(body))
	for _, name := range names {
		slices.Sort(form[name])
		for _, value := range slices.Compact(form[name]) {
			text = append(append(text, name...), value...)
		}
	}
	// Without this, the signature of a call with another body would also be that of a
	// form whose only parameter is the query.
	if len(text) > 0 && bytes.HasPrefix(text[1:], []byte(twilioHash+"=")) {
		return nil, fmt.Errorf("the form begins like a URL with %s", twilioHash)
	}
	return text, nil
}

// twilioURL returns the URL that Twilio calls.
func twilioURL(registered, hash string) string {
	switch {
	case hash == "":
		return registered
	case strings.Contains(registered, "?"):
		return registered + "&" + twilioHash + "=" + hash
	default:
		return registered + "?" + twilioHash + "=" + hash
	}
}

func twilioMAC(secret Secret, url string, params []byte) []byte {
	h := hmac.New(sha1.New, secret.bytes())
	h.Write([]byte(url))
	h.Write(params)
	return h.Sum(nil)
}

// matchTwilio returns the label of the first key under which mac is right.
func matchTwilio(keys []Key, url string, params, mac []byte) (label string, ok bool) {
	for _, k := range keys {
		if !k.Secret.IsZero() && hmac.Equal(twilioMAC(k.Secret, url, params), mac) {
			return k.Label, true
		}
	}
	return "", false
}

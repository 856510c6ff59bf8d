package webhook

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Ed25519 verifies a header with an Ed25519 signature of the body, or of the body and
// more. The request must have the header once: Prefix and a whole signature, nothing
// else. Discord signs the time too, and gives an application's public key in hex:
//
//	&webhook.Ed25519{
//		Header:          "X-Signature-Ed25519",
//		Signed:          "{timestamp}{body}",
//		TimestampHeader: "X-Signature-Timestamp",
//		Keys:            webhook.Keys(webhook.NewSecret(publicKey)),
//	}
//
// The signed text is one piece, so the body is copied while it is verified, unless it is
// all that is signed. A [Budget] does not count the copy.
// The fields must not be changed after Validate.
type Ed25519 struct {
	Header   string
	Prefix   string   // before the signature; case-sensitive
	Encoding Encoding // of the signature; zero means Hex

	Signed          string                              // as [HMAC.Signed]; if empty, "{body}"
	TimestampHeader string                              // as [HMAC.TimestampHeader]
	Tolerance       time.Duration                       // as [HMAC.Tolerance]; zero means 5 minutes
	IDHeader        string                              // as [HMAC.IDHeader]
	URL             string                              // as [HMAC.URL]
	URLFunc         func(*http.Request) (string, error) // as [HMAC.URLFunc]

	// Keys are accepted public keys, all of one sender; see [Key]. The Secret of a Key
	// is the text of a public key (32 bytes), in hex or Base64, although a public key is
	// not secret. To sign, in tests and publishers, a key must be private: the text of
	// an ed25519.PrivateKey (64 bytes), which also verifies.
	Keys []Key
	// KeysFunc, if not nil, returns the keys in place of Keys; called for each request.
	KeysFunc func() []Key
	// KeysFor, if not nil, returns the keys of the sender of a request; see
	// [HMAC.KeysFor].
	KeysFor func(*http.Request) ([]Key, error)

	live atomic.Pointer[signedText] // nil before Validate
}

// Validate refuses an empty header name, an empty key list, a key that is not 32 or 64
// bytes in hex or Base64, a public key of low order, such as zeros, and fields that do
// not fit together, as [HMAC.Validate] does.
func (e *Ed25519) Validate() error {
	text, err := e.prepare()
	if err != nil {
		return err
	}
	if err := e.keySource().validate(checkEd25519Key); err != nil {
		return err
	}
	e.live.Store(text)
	return nil
}

// Admit returns nil if the request has the headers once and they are well formed, with
// a recent timestamp if it is signed.
func (e *Ed25519) Admit(r *http.Request) error {
	_, _, err := e.parse(r)
	return err
}

// Verify checks the signature under each key. The Proof has the label of the matching
// key, the signature, and the ID if it is signed. Only the sender can make another
// signature of the same text.
func (e *Ed25519) Verify(r *http.Request, body []byte) (Proof, error) {
	values, signature, err := e.parse(r)
	if err != nil {
		return Proof{}, err
	}
	keys, err := e.keySource().of(r)
	if err != nil {
		return Proof{}, err
	}
	text := e.live.Load()
	if err := text.readURL(r, &values); err != nil {
		return Proof{}, err
	}
	if label, ok := matchEd25519(keys, text.whole(&values, body), signature[:]); ok {
		return Proof{KeyLabel: label, ID: values.id, Signature: signature[:]}, nil
	}
	hint := bodyHint(r, body)
	if text.has[urlWord] {
		values.url = requestURL(r)
		if _, ok := matchEd25519(keys, text.whole(&values, body), signature[:]); ok {
			hint = otherURL
		}
	}
	return Proof{}, fmt.Errorf("%w: %s matches no live key (%d tried%s)%s%s", ErrUnverified, http.CanonicalHeaderKey(e.Header), len(keys), unusableKey(keys, checkEd25519Key), text.mismatch(), hint)
}

// Sign sets the headers. It signs with the first key, which must be private, the
// current time, and URL. If the request has an ID already, Sign keeps it.
func (e *Ed25519) Sign(r *http.Request, body []byte) error {
	text, err := e.prepare()
	if err != nil {
		return err
	}
	first, err := e.keySource().signing(r, checkEd25519Key)
	if err != nil {
		return err
	}
	_, private, err := parseEd25519Key(first.Secret)
	if err != nil {
		return fmt.Errorf("webhook: Ed25519: key 1: %w", err)
	}
	if private == nil {
		return fmt.Errorf("%w: Ed25519: key 1 is a public key, which verifies only; to sign, use a private key of 64 bytes", errCannotSign)
	}
	values, err := text.sign(r)
	if err != nil {
		return err
	}
	r.Header.Set(e.Header, e.Prefix+e.Encoding.encode(ed25519.Sign(private, text.whole(&values, body))))
	return nil
}

func (e *Ed25519) keySource() keySource {
	return keySource{verifier: "Ed25519", owner: e, keys: e.Keys, live: e.KeysFunc, each: e.KeysFor}
}

func (e *Ed25519) asksKeys() bool { return e.KeysFor != nil }

// prepare checks all fields but the keys.
func (e *Ed25519) prepare() (*signedText, error) {
	if e.Header == "" {
		return nil, errors.New("webhook: Ed25519 has no header")
	}
	return signedFields{
		Header: e.Header, Signed: e.Signed, TimestampHeader: e.TimestampHeader, IDHeader: e.IDHeader,
		Tolerance: e.Tolerance, URL: registeredURL{e.URL, e.URLFunc},
	}.prepare("Ed25519")
}

// parse reads the headers.
func (e *Ed25519) parse(r *http.Request) (v signedValues, signature [ed25519.SignatureSize]byte, err error) {
	text := e.live.Load()
	if text == nil {
		return v, signature, errNotValidated
	}
	header := http.CanonicalHeaderKey(e.Header)
	value, err := oneValue(r, header)
	if err != nil {
		return v, signature, err
	}
	value, ok := strings.CutPrefix(value, e.Prefix)
	if !ok {
		return v, signature, fmt.Errorf("%w: %s does not begin with %q", ErrUnverified, header, e.Prefix)
	}
	if !e.Encoding.decode(signature[:], value) {
		return v, signature, fmt.Errorf("%w: %s is not a signature of %d bytes", ErrUnverified, header, len(signature))
	}
	v, err = text.read(r, "")
	return v, signature, err
}

// matchEd25519 returns the label of the first key that made the signature of text. It
// ignores what is not a key: Validate refuses that, but a func may return it later.
func matchEd25519(keys []Key, text, signature []byte) (label string, ok bool) {
	for _, k := range keys {
		public, _, err := parseEd25519Key(k.Secret)
		if err == nil && ed25519.Verify(public, text, signature) {
			return k.Label, true
		}
	}
	return "", false
}

package webhook

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// standardHeaders are the canonical names of the three headers.
type standardHeaders struct{ id, timestamp, signature string }

func newStandardHeaders(prefix string) *standardHeaders {
	prefix = cmp.Or(prefix, "webhook-")
	return &standardHeaders{
		id:        http.CanonicalHeaderKey(prefix + "id"),
		timestamp: http.CanonicalHeaderKey(prefix + "timestamp"),
		signature: http.CanonicalHeaderKey(prefix + "signature"),
	}
}

// signatureSizes has the known versions and the sizes of their signatures in bytes.
var signatureSizes = map[string]int{"v1": sha256.Size, "v1a": ed25519.SignatureSize}

// StandardWebhooks verifies requests as the Standard Webhooks specification 1.0.0
// defines them: a signature of "id.timestamp.body", with a recent timestamp. The
// prefix of a secret says what it is:
//
//	whsec_  base64 of a symmetric key, for v1 (HMAC-SHA256); the prefix may be omitted
//	whpk_   base64 of an ed25519 public key, for v1a
//	whsk_   base64 of an ed25519 private key (a seed of 32 or the full 64 bytes), for v1a; it can sign
//
// One signature that matches a key is enough. Signatures of unknown versions and
// malformed ones are ignored. The signature covers the ID, which becomes [Proof.ID].
// The fields must not be changed after Validate.
type StandardWebhooks struct {
	Keys      []Key         // accepted keys, all of one sender; see [Key]
	KeysFunc  func() []Key  // if not nil, returns the keys in place of Keys; called for each request
	Tolerance time.Duration // maximum difference between timestamp and clock in whole seconds, in both directions; zero means 5 minutes
	// HeaderPrefix is what the names of the three headers begin with: "svix-" for
	// Svix-Id, Svix-Timestamp and Svix-Signature. If empty, it is "webhook-", as in the
	// specification and in the calls of GitLab with a signing token.
	HeaderPrefix string
	// KeysFor, if not nil, returns the keys of the sender of a request; see
	// [HMAC.KeysFor].
	KeysFor func(*http.Request) ([]Key, error)

	live atomic.Pointer[standardHeaders] // nil before Validate
}

// Validate refuses an empty key list, a secret that is empty or badly encoded, a public
// key of low order, such as zeros, more than one of Keys, KeysFunc and KeysFor, a
// Tolerance that is negative or shorter than a second, and a HeaderPrefix that does not
// end in "-".
func (s *StandardWebhooks) Validate() error {
	if err := s.keySource().validate(checkStandardKey); err != nil {
		return err
	}
	if err := checkTolerance(s.Tolerance); err != nil {
		return fmt.Errorf("webhook: StandardWebhooks: %w", err)
	}
	if s.HeaderPrefix != "" && (!strings.HasSuffix(s.HeaderPrefix, "-") || !isHeaderName(s.HeaderPrefix)) {
		return fmt.Errorf("webhook: StandardWebhooks: HeaderPrefix %q is not the beginning of a header name that ends in -", s.HeaderPrefix)
	}
	s.live.Store(newStandardHeaders(s.HeaderPrefix))
	return nil
}

func checkStandardKey(s Secret) error {
	_, err := parseStandardKey(s)
	return err
}

func (s *StandardWebhooks) keySource() keySource {
	return keySource{verifier: "StandardWebhooks", owner: s, keys: s.Keys, live: s.KeysFunc, each: s.KeysFor}
}

func (s *StandardWebhooks) asksKeys() bool { return s.KeysFor != nil }

// Admit returns nil if the request has the three headers once each, well formed, and
// with a recent timestamp.
func (s *StandardWebhooks) Admit(r *http.Request) error {
	_, err := s.envelope(r)
	return err
}

// Verify checks the signatures. The Proof has the label of the matching key, the ID,
// and for v1 the MAC.
func (s *StandardWebhooks) Verify(r *http.Request, body []byte) (Proof, error) {
	e, err := s.envelope(r)
	if err != nil {
		return Proof{}, err
	}
	keys, err := s.keySource().of(r)
	if err != nil {
		return Proof{}, err
	}
	for _, k := range keys {
		key, err := parseStandardKey(k.Secret)
		if err != nil {
			continue // Validate refuses such a key, but a func may return one later
		}
		if mac, ok := key.verify(e, body); ok {
			return Proof{KeyLabel: k.Label, ID: e.id, Signature: mac}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: none of %d signatures matches a live key (%d tried%s; it covers the ID, the timestamp and the body)%s", ErrUnverified, len(e.signatures), len(keys), unusableKey(keys, checkStandardKey), bodyHint(r, body))
}

// Sign sets the three headers, with the current time and a signature of each key that can
// sign, in the order of the keys. So while a secret is replaced, a receiver that knows
// either one accepts the request. Public keys are left out. It is an error if no key can
// sign, and if more than 16 can: a receiver need not try more. If the request has an ID
// already, Sign keeps it, so that a retry has the same ID.
func (s *StandardWebhooks) Sign(r *http.Request, body []byte) error {
	keys, err := s.keySource().checked(r, checkStandardKey)
	if err != nil {
		return err
	}
	now, names := time.Now(), newStandardHeaders(s.HeaderPrefix)
	e := envelope{id: r.Header.Get(names.id), timestamp: strconv.FormatInt(now.Unix(), 10)}
	if e.id == "" {
		e.id = "msg_" + newUID(now)
	}
	if strings.Contains(e.id, ".") {
		return fmt.Errorf("webhook: StandardWebhooks: cannot sign: %s %q contains a dot", names.id, e.id)
	}
	signatures, err := signStandard(keys, e, body)
	if err != nil {
		return err
	}
	r.Header.Set(names.id, e.id)
	r.Header.Set(names.timestamp, e.timestamp)
	r.Header.Set(names.signature, signatures)
	return nil
}

// An envelope is the content of the three headers.
type envelope struct {
	id         string
	timestamp  string
	signatures []standardSig
}

type standardSig struct {
	version string
	value   []byte
}

func (s *StandardWebhooks) envelope(r *http.Request) (envelope, error) {
	names := s.live.Load()
	if names == nil {
		return envelope{}, errNotValidated
	}
	var e envelope
	var signatures string
	for _, h := range []struct {
		name  string
		value *string
	}{{names.id, &e.id}, {names.timestamp, &e.timestamp}, {names.signature, &signatures}} {
		var err error
		if *h.value, err = oneValue(r, h.name); err != nil {
			return envelope{}, err
		}
	}
	// With a dot in the ID, two messages could have the same signed text.
	if e.id == "" || strings.Contains(e.id, ".") {
		return envelope{}, fmt.Errorf("%w: %s is empty or contains a dot", ErrUnverified, names.id)
	}
	if err := checkTimestamp(names.timestamp, e.timestamp, cmp.Or(s.Tolerance, defaultTolerance)); err != nil {
		return envelope{}, err
	}
	for item := range strings.FieldsSeq(signatures) {
		version, text, ok := strings.Cut(item, ",")
		value, err := strictBase64.DecodeString(text)
		if !ok || err != nil || len(value) == 0 || len(value) != signatureSizes[version] {
			continue
		}
		if len(e.signatures) == maxSignatures {
			return envelope{}, fmt.Errorf("%w: %s has more than %d signatures", ErrUnverified, names.signature, maxSignatures)
		}
		e.signatures = append(e.signatures, standardSig{version, value})
	}
	if len(e.signatures) == 0 {
		return envelope{}, fmt.Errorf("%w: %s has no v1 or v1a signature", ErrUnverified, names.signature)
	}
	return e, nil
}

// head returns the part of the signed text before the body.
func (e envelope) head() []byte {
	return []byte(e.id + "." + e.timestamp + ".")
}

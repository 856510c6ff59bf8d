package webhook

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The headers of Standard Webhooks.
const (
	standardID        = "Webhook-Id"
	standardTimestamp = "Webhook-Timestamp"
	standardSignature = "Webhook-Signature"
)

// signatureSizes has the known versions and the sizes of their signatures in bytes.
var signatureSizes = map[string]int{"v1": sha256.Size, "v1a": ed25519.SignatureSize}

// maxSignatures is the maximum number of signatures in a header. A sender that rotates
// its secret sends two.
const maxSignatures = 16

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
	KeysFunc  func() []Key  // if not nil, replaces Keys; called for each request
	Tolerance time.Duration // maximum difference between timestamp and clock, in both directions; zero means 5 minutes

	valid atomic.Bool
}

// Validate refuses an empty key list, a secret that is empty or badly encoded, and a
// negative Tolerance.
func (s *StandardWebhooks) Validate() error {
	keys := liveKeys(s.Keys, s.KeysFunc)
	if err := validateKeys("StandardWebhooks", keys); err != nil {
		return err
	}
	for i, k := range keys {
		if _, err := parseStandardKey(k.Secret); err != nil {
			return fmt.Errorf("webhook: StandardWebhooks: key %d: %w", i+1, err)
		}
	}
	if s.Tolerance < 0 {
		return errors.New("webhook: StandardWebhooks: negative tolerance")
	}
	s.valid.Store(true)
	return nil
}

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
	keys := liveKeys(s.Keys, s.KeysFunc)
	for _, k := range keys {
		key, err := parseStandardKey(k.Secret)
		if err != nil {
			continue // Validate refuses such a key, but KeysFunc may return one later
		}
		if mac, ok := key.verify(e, body); ok {
			return Proof{KeyLabel: k.Label, ID: e.id, Signature: mac}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: none of %d signatures matches a live key (%d tried)%s", ErrUnverified, len(e.signatures), len(keys), bodyHint(r, body))
}

// Sign sets the three headers. It signs with the first key and the current time. If
// the request has an ID already, Sign keeps it, so that a retry has the same ID.
func (s *StandardWebhooks) Sign(r *http.Request, body []byte) error {
	keys := liveKeys(s.Keys, s.KeysFunc)
	if err := validateKeys("StandardWebhooks", keys); err != nil {
		return err
	}
	key, err := parseStandardKey(keys[0].Secret)
	if err != nil {
		return fmt.Errorf("webhook: StandardWebhooks: %w", err)
	}
	now := time.Now()
	e := envelope{id: r.Header.Get(standardID), timestamp: strconv.FormatInt(now.Unix(), 10)}
	if e.id == "" {
		e.id = "msg_" + newUID(now)
	}
	sig, err := key.sign(e, body)
	if err != nil {
		return err
	}
	r.Header.Set(standardID, e.id)
	r.Header.Set(standardTimestamp, e.timestamp)
	r.Header.Set(standardSignature, sig.version+","+base64.StdEncoding.EncodeToString(sig.value))
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
	if !s.valid.Load() {
		return envelope{}, errNotValidated
	}
	for _, name := range []string{standardID, standardTimestamp, standardSignature} {
		if n := len(r.Header[name]); n != 1 {
			return envelope{}, wrongCount(name, n)
		}
	}
	e := envelope{id: r.Header[standardID][0], timestamp: r.Header[standardTimestamp][0]}
	// With a dot in the ID, two messages could have the same signed text.
	if e.id == "" || strings.Contains(e.id, ".") {
		return envelope{}, unverified("Webhook-Id is empty or contains a dot")
	}
	sec, err := strconv.ParseInt(e.timestamp, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != e.timestamp {
		return envelope{}, unverified("Webhook-Timestamp is not a number of seconds")
	}
	tolerance := int64(cmp.Or(s.Tolerance, defaultTolerance) / time.Second)
	if age := time.Now().Unix() - sec; age > tolerance || age < -tolerance {
		return envelope{}, unverified("Webhook-Timestamp is too far from now")
	}
	for item := range strings.FieldsSeq(r.Header[standardSignature][0]) {
		version, text, ok := strings.Cut(item, ",")
		value, err := strictBase64.DecodeString(text)
		if !ok || err != nil || len(value) == 0 || len(value) != signatureSizes[version] {
			continue
		}
		if len(e.signatures) == maxSignatures {
			return envelope{}, unverified("Webhook-Signature has too many signatures")
		}
		e.signatures = append(e.signatures, standardSig{version, value})
	}
	if len(e.signatures) == 0 {
		return envelope{}, unverified("Webhook-Signature has no v1 or v1a signature")
	}
	return e, nil
}

// head returns the part of the signed text before the body.
func (e envelope) head() []byte {
	return []byte(e.id + "." + e.timestamp + ".")
}

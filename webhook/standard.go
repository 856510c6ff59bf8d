package webhook

import (
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

// signatureSizes are the versions known, with the length of their signatures.
var signatureSizes = map[string]int{"v1": sha256.Size, "v1a": ed25519.SignatureSize}

// maxSignatures bounds the list in one header; a sender in rotation sends two.
const maxSignatures = 16

// StandardWebhooks verifies the scheme of the Standard Webhooks specification
// 1.0.0: a signature over "id.timestamp.body" that must be fresh. A key's
// secret says by its prefix what it is:
//
//	whsec_  base64 of a symmetric key, for v1 (HMAC-SHA256); the prefix may be left out
//	whpk_   base64 of an ed25519 public key, for v1a
//	whsk_   base64 of an ed25519 private key (a seed of 32 or the full 64 bytes), for v1a; it can sign
//
// One matching signature of a listed key is enough; versions and items that it
// does not know are passed over. The id is covered by the signature and
// becomes [Proof.ID]. Fields are not changed after Validate.
type StandardWebhooks struct {
	Keys      []Key         // all live at once; of one sender, see Key
	KeysFunc  func() []Key  // Zero means Keys. Called for each request.
	Tolerance time.Duration // how far the timestamp may be off, either way; Zero means 5 minutes.

	valid atomic.Bool
}

// Validate refuses an empty key list and a secret that is empty or badly
// encoded.
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

// Admit passes if the three headers are there and the timestamp is fresh.
func (s *StandardWebhooks) Admit(r *http.Request) error {
	_, err := s.envelope(r)
	return err
}

// Verify checks the signatures; the Proof has the key's label, the id, and for
// v1 the MAC.
func (s *StandardWebhooks) Verify(r *http.Request, body []byte) (Proof, error) {
	e, err := s.envelope(r)
	if err != nil {
		return Proof{}, err
	}
	keys := liveKeys(s.Keys, s.KeysFunc)
	for _, k := range keys {
		key, err := parseStandardKey(k.Secret)
		if err != nil {
			continue // Validate refused it; a KeysFunc may have brought it since
		}
		if mac, ok := key.verify(e, body); ok {
			return Proof{KeyLabel: k.Label, ID: e.id, Signature: mac}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: none of %d signatures matches a live key (%d tried)%s", ErrUnverified, len(e.signatures), len(keys), bodyHint(r, body))
}

// Sign sets the three headers, with the first key and the present time. An id
// that the request has already is kept, so that a retry carries the same one.
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

// An envelope is what the three headers say.
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
	// A dot in the id would let two messages have one signed text.
	if e.id == "" || strings.Contains(e.id, ".") {
		return envelope{}, unverified("Webhook-Id is empty or holds a dot")
	}
	sec, err := strconv.ParseInt(e.timestamp, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != e.timestamp {
		return envelope{}, unverified("Webhook-Timestamp is not a number of seconds")
	}
	tolerance := int64(s.tolerance() / time.Second)
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
			return envelope{}, unverified("Webhook-Signature lists too many")
		}
		e.signatures = append(e.signatures, standardSig{version, value})
	}
	if len(e.signatures) == 0 {
		return envelope{}, unverified("Webhook-Signature has no v1 or v1a signature")
	}
	return e, nil
}

func (s *StandardWebhooks) tolerance() time.Duration {
	if s.Tolerance == 0 {
		return 5 * time.Minute
	}
	return s.Tolerance
}

// head is what stands before the body in the signed text.
func (e envelope) head() []byte {
	return []byte(e.id + "." + e.timestamp + ".")
}

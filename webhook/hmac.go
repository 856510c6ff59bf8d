package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// An Encoding is how a signature is written in a header.
type Encoding uint8

// The encodings of a signature.
const (
	Hex    Encoding = iota // either case
	Base64                 // the standard alphabet, padded
)

// The bounds of a digest: SHA-512 has the largest of the standard library, and
// what is shorter than MD5 is a checksum.
const (
	minMAC = 16
	maxMAC = 64
)

// HMAC verifies a MAC over the exact body in one header. The header must stand
// there once and hold Prefix and a digest of the full length, nothing else.
// Fields are not changed after Validate.
type HMAC struct {
	Header   string
	Prefix   string           // before the digest, such as "sha256="; case counts
	Hash     func() hash.Hash // Zero means SHA-256.
	Encoding Encoding         // Zero means Hex.
	Keys     []Key            // all live at once; of one sender, see Key
	KeysFunc func() []Key     // Zero means Keys. Called for each request: keep it fast, return the same slice until a key changes, and never change a slice that was returned.

	live atomic.Pointer[keyring] // nil until Validate
}

// Validate refuses a missing header name, an unusable hash, an empty key list,
// and an empty secret.
func (m *HMAC) Validate() error {
	if m.Header == "" {
		return errors.New("webhook: HMAC has no header")
	}
	if size := m.hash()().Size(); size < minMAC || size > maxMAC {
		return fmt.Errorf("webhook: HMAC: a digest of %d bytes is not supported", size)
	}
	keys := liveKeys(m.Keys, m.KeysFunc)
	if err := validateKeys("HMAC", keys); err != nil {
		return err
	}
	m.live.Store(m.newKeyring(keys))
	return nil
}

// Admit returns nil if the request has the header once and it is well formed.
func (m *HMAC) Admit(r *http.Request) error {
	var digest [maxMAC]byte
	return m.given(m.live.Load(), r, &digest)
}

// Verify compares the MAC of body under each live key with the one given. The
// Proof has the key's label and the MAC as Signature.
func (m *HMAC) Verify(r *http.Request, body []byte) (Proof, error) {
	ring := m.keyring()
	var digest [maxMAC]byte
	if err := m.given(ring, r, &digest); err != nil {
		return Proof{}, err
	}
	for i := range ring.macs {
		k := &ring.macs[i]
		if k.matches(digest[:ring.size], body) {
			return Proof{KeyLabel: k.label, Signature: append([]byte(nil), digest[:ring.size]...)}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: %s matches no live key %s%s", ErrUnverified, ring.header, tried(ring.from), bodyHint(r, body))
}

// Sign sets the header, with the first key.
func (m *HMAC) Sign(r *http.Request, body []byte) error {
	keys := liveKeys(m.Keys, m.KeysFunc)
	if err := validateKeys("HMAC", keys); err != nil {
		return err
	}
	h := hmac.New(m.hash(), keys[0].Secret.bytes())
	h.Write(body)
	r.Header.Set(m.Header, m.Prefix+m.encode(h.Sum(nil)))
	return nil
}

func (m *HMAC) paddedSecrets() []string { return paddedKeys(liveKeys(m.Keys, m.KeysFunc)) }

func (m *HMAC) hash() func() hash.Hash {
	if m.Hash == nil {
		return sha256.New
	}
	return m.Hash
}

func (m *HMAC) encode(digest []byte) string {
	if m.Encoding == Base64 {
		return base64.StdEncoding.EncodeToString(digest)
	}
	return hex.EncodeToString(digest)
}

// given decodes the header's digest into the first ring.size bytes of digest.
func (m *HMAC) given(ring *keyring, r *http.Request, digest *[maxMAC]byte) error {
	if ring == nil {
		return errNotValidated
	}
	values := r.Header[ring.header]
	if len(values) != 1 {
		return wrongCount(ring.header, len(values))
	}
	text, ok := strings.CutPrefix(values[0], m.Prefix)
	if !ok {
		return fmt.Errorf("%w: %s does not begin with %q", ErrUnverified, ring.header, m.Prefix)
	}
	// A copy on the stack: the conversion of a long string would allocate.
	var written [2 * maxMAC]byte
	src := written[:copy(written[:], text)]
	n, err := 0, error(nil)
	switch {
	case m.Encoding == Hex && len(text) == hex.EncodedLen(ring.size):
		n, err = hex.Decode(digest[:], src)
	case m.Encoding == Base64 && len(text) == base64.StdEncoding.EncodedLen(ring.size):
		var raw [maxMAC + 2]byte // a text without padding is of one more byte or two
		n, err = strictBase64.Decode(raw[:], src)
		copy(digest[:], raw[:])
	}
	if err != nil || n != ring.size {
		return fmt.Errorf("%w: %s is not a digest of %d bytes", ErrUnverified, ring.header, ring.size)
	}
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

// keyring returns the prepared keys, prepared again if KeysFunc has new ones;
// nil before Validate.
func (m *HMAC) keyring() *keyring {
	ring := m.live.Load()
	if m.KeysFunc == nil || ring == nil {
		return ring
	}
	if keys := m.KeysFunc(); !slices.Equal(keys, ring.from) {
		ring = m.newKeyring(keys)
		m.live.Store(ring)
	}
	return ring
}

// liveKeys returns what f returns, or keys where there is no f.
func liveKeys(keys []Key, f func() []Key) []Key {
	if f != nil {
		return f()
	}
	return keys
}

// A keyring holds keys with their MAC states, so that a request pays for no
// key schedule. Keys with an empty secret are left out: they match nothing.
type keyring struct {
	header string // canonical
	size   int    // of a digest
	from   []Key
	macs   []keyedMAC
}

func (m *HMAC) newKeyring(keys []Key) *keyring {
	ring := &keyring{
		header: http.CanonicalHeaderKey(m.Header),
		size:   m.hash()().Size(),
		from:   slices.Clone(keys),
		macs:   make([]keyedMAC, 0, len(keys)),
	}
	for _, k := range keys {
		if !k.Secret.IsZero() {
			ring.macs = append(ring.macs, keyedMAC{label: k.Label, secret: k.Secret, hash: m.hash()})
		}
	}
	return ring
}

type keyedMAC struct {
	label  string
	secret Secret
	hash   func() hash.Hash
	pool   sync.Pool // of *macState
}

type macState struct {
	mac hash.Hash
	sum [maxMAC]byte
}

func (k *keyedMAC) matches(digest, body []byte) bool {
	s, ok := k.pool.Get().(*macState)
	if !ok {
		s = &macState{mac: hmac.New(k.hash, k.secret.bytes())}
	}
	s.mac.Write(body)
	equal := hmac.Equal(s.mac.Sum(s.sum[:0]), digest)
	s.mac.Reset()
	clear(s.sum[:])
	k.pool.Put(s)
	return equal
}

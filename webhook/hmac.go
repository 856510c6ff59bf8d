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

// The sizes of a digest in bytes. SHA-512 has the largest in the standard library.
// A digest shorter than that of MD5 is a checksum.
const (
	minMAC = 16
	maxMAC = 64
)

// HMAC verifies a header with a MAC of the exact body. The request must have the
// header once. Its value is Prefix and a digest of full length, nothing else. The
// fields must not be changed after Validate.
type HMAC struct {
	Header   string
	Prefix   string           // before the digest, such as "sha256="; case-sensitive
	Hash     func() hash.Hash // if nil, SHA-256
	Encoding Encoding         // zero means Hex
	Keys     []Key            // accepted keys, all of one sender; see [Key]
	// KeysFunc, if not nil, replaces Keys. It is called for each request, so it must
	// be fast. It should return the same slice until a key changes, and must not
	// change a slice that it has returned.
	KeysFunc func() []Key

	live atomic.Pointer[keyring] // nil before Validate
}

// Validate refuses an empty header name, a hash with an unsupported size, an empty
// key list, and an empty secret.
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
	return m.parse(m.live.Load(), r, &digest)
}

// Verify compares the MAC in the header with that of body under each key. The Proof
// has the label of the matching key, and the MAC as Signature.
func (m *HMAC) Verify(r *http.Request, body []byte) (Proof, error) {
	ring := m.keyring()
	var digest [maxMAC]byte
	if err := m.parse(ring, r, &digest); err != nil {
		return Proof{}, err
	}
	for i := range ring.macs {
		k := &ring.macs[i]
		if k.matches(digest[:ring.size], body) {
			return Proof{KeyLabel: k.label, Signature: append([]byte(nil), digest[:ring.size]...)}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: %s matches no live key %s%s", ErrUnverified, ring.header, triedKeys(ring.from), bodyHint(r, body))
}

// Sign sets the header. It signs with the first key.
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

// parse decodes the digest in the header into the first ring.size bytes of digest.
func (m *HMAC) parse(ring *keyring, r *http.Request, digest *[maxMAC]byte) error {
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
	// Copy to the stack: converting a long string to bytes would allocate.
	var written [2 * maxMAC]byte
	src := written[:copy(written[:], text)]
	n, err := 0, error(nil)
	switch {
	case m.Encoding == Hex && len(text) == hex.EncodedLen(ring.size):
		n, err = hex.Decode(digest[:], src)
	case m.Encoding == Base64 && len(text) == base64.StdEncoding.EncodedLen(ring.size):
		var raw [maxMAC + 2]byte // without padding, a text of this length has one or two bytes more
		n, err = strictBase64.Decode(raw[:], src)
		copy(digest[:], raw[:])
	}
	if err != nil || n != ring.size {
		return fmt.Errorf("%w: %s is not a digest of %d bytes", ErrUnverified, ring.header, ring.size)
	}
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

// keyring returns the prepared keys. It prepares them again if KeysFunc returns new
// ones. It returns nil before Validate.
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

// A keyring has keys with prepared MACs, so that a request need not compute a key
// schedule. It leaves out keys with an empty secret, which match nothing.
type keyring struct {
	header string // canonical name
	size   int    // of a digest, in bytes
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

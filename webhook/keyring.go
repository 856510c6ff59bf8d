package webhook

import (
	"crypto/hmac"
	"hash"
	"net/http"
	"slices"
	"sync"
)

// keyring returns the prepared keys for r. It prepares them again if KeysFunc returns
// new ones, and for each request those of KeysFor.
func (m *HMAC) keyring(r *http.Request, ring *keyring) (*keyring, error) {
	switch {
	case m.KeysFor != nil:
		keys, err := m.keySource().of(r)
		if err != nil {
			return nil, err
		}
		return m.newKeyring(keys, ring.text), nil
	case m.KeysFunc != nil:
		if keys := m.KeysFunc(); !slices.Equal(keys, ring.from) {
			ring = m.newKeyring(keys, ring.text)
			m.live.Store(ring)
		}
	}
	return ring, nil
}

// A keyring has keys with prepared MACs, so that a request need not compute a key
// schedule. It leaves out keys with an empty secret, which match nothing.
type keyring struct {
	header string // canonical name
	size   int    // of a digest, in bytes
	text   *signedText
	from   []Key
	macs   []keyedMAC
}

func (m *HMAC) newKeyring(keys []Key, text *signedText) *keyring {
	ring := &keyring{
		header: http.CanonicalHeaderKey(m.Header),
		size:   m.hash()().Size(),
		text:   text,
		from:   slices.Clone(keys),
		macs:   make([]keyedMAC, 0, len(keys)),
	}
	for _, k := range keys {
		if k.Secret.IsZero() {
			continue
		}
		mac := keyedMAC{label: k.Label, secret: k.Secret, hash: m.hash()}
		if m.KeysFor == nil {
			mac.pool = new(sync.Pool)
		}
		ring.macs = append(ring.macs, mac)
	}
	return ring
}

type keyedMAC struct {
	label  string
	secret Secret
	hash   func() hash.Hash
	pool   *sync.Pool // of *macState; nil for keys of one request
}

type macState struct {
	mac hash.Hash
	sum [maxMAC]byte
}

// matches reports whether one of the signatures of c is the MAC of the three texts.
func (k *keyedMAC) matches(m *HMAC, ring *keyring, c *claimed, head, body, tail []byte) bool {
	s := k.state()
	s.mac.Write(head)
	s.mac.Write(body)
	s.mac.Write(tail)
	equal := m.equalsAny(ring, c, s.mac.Sum(s.sum[:0]))
	if k.pool != nil {
		s.mac.Reset()
		clear(s.sum[:])
		k.pool.Put(s)
	}
	return equal
}

func (k *keyedMAC) state() *macState {
	if k.pool != nil {
		if s, ok := k.pool.Get().(*macState); ok {
			return s
		}
	}
	return &macState{mac: hmac.New(k.hash, k.secret.bytes())}
}

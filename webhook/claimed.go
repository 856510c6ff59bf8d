package webhook

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"strings"
)

// A claimed is what the headers of a request claim.
type claimed struct {
	values signedValues
	items  string       // the whole header if it has items
	digest [maxMAC]byte // the one that is compared
}

// parse reads the headers into c.
func (m *HMAC) parse(ring *keyring, r *http.Request, c *claimed) (err error) {
	if ring == nil {
		return errNotValidated
	}
	text, err := oneValue(r, ring.header)
	if err != nil {
		return err
	}
	timestamp := ""
	if m.Items.isZero() {
		err = m.decode(ring, text, &c.digest)
	} else {
		c.items = text
		timestamp, err = m.parseItems(ring, text, &c.digest)
	}
	if err != nil {
		return err
	}
	c.values, err = ring.text.read(r, timestamp)
	return err
}

// parseItems returns the value of the time's item. It fails unless a signature is well
// formed.
func (m *HMAC) parseItems(ring *keyring, text string, digest *[maxMAC]byte) (timestamp string, err error) {
	found, err := m.Items.count(ring.header, text)
	if err != nil {
		return "", err
	}
	for rest := text; rest != ""; {
		var it item
		it, rest = m.Items.next(rest)
		if it.name == m.Items.Signature {
			if err = m.decode(ring, it.value, digest); err == nil {
				return found.time, nil
			}
		}
	}
	return "", err
}

// decode decodes one signature into the first ring.size bytes of digest.
func (m *HMAC) decode(ring *keyring, text string, digest *[maxMAC]byte) error {
	text, ok := strings.CutPrefix(text, m.Prefix)
	if !ok {
		return fmt.Errorf("%w: %s does not begin with %q", ErrUnverified, ring.header, m.Prefix)
	}
	if !m.Encoding.decode(digest[:ring.size], text) {
		return fmt.Errorf("%w: %s is not a digest of %d bytes", ErrUnverified, ring.header, ring.size)
	}
	return nil
}

// match returns the first key under which a signature of c is right, or nil. c.digest
// is then that signature.
func (m *HMAC) match(ring *keyring, c *claimed, body []byte) *keyedMAC {
	head, tail := ring.text.around(&c.values)
	for i := range ring.macs {
		if k := &ring.macs[i]; k.matches(m, ring, c, head, body, tail) {
			return k
		}
	}
	return nil
}

// equalsAny reports whether one of the signatures of c is sum.
func (m *HMAC) equalsAny(ring *keyring, c *claimed, sum []byte) bool {
	if m.Items.isZero() {
		return hmac.Equal(sum, c.digest[:ring.size])
	}
	for rest := c.items; rest != ""; {
		var it item
		it, rest = m.Items.next(rest)
		if it.name == m.Items.Signature && m.decode(ring, it.value, &c.digest) == nil && hmac.Equal(sum, c.digest[:ring.size]) {
			return true
		}
	}
	return false
}

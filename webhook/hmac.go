package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// The sizes of a digest in bytes. SHA-512 has the largest in the standard library.
// A digest shorter than that of MD5 is a checksum.
const (
	minMAC = 16
	maxMAC = 64
)

// HMAC verifies a header with a MAC of the exact body, or of the body and more. The
// request must have the header once: Prefix and a digest of full length, nothing
// else, or [Items]. The first four fields and Keys are enough for most senders.
// Slack also signs the time:
//
//	&webhook.HMAC{
//		Header:          "X-Slack-Signature",
//		Prefix:          "v0=",
//		Signed:          "v0:{timestamp}:{body}",
//		TimestampHeader: "X-Slack-Request-Timestamp",
//		Keys:            webhook.Keys(secret),
//	}
//
// The fields must not be changed after Validate.
type HMAC struct {
	Header   string
	Prefix   string           // before the digest, such as "sha256="; case-sensitive
	Hash     func() hash.Hash // if nil, SHA-256
	Encoding Encoding         // zero means Hex
	// Items is for a header that has the timestamp too, or several signatures. The
	// zero value means a header that is one digest.
	Items Items

	// Signed is the text that is signed. It has {body} once, and may have {timestamp},
	// {id} and {url}, each once; the rest is literal. If empty, it is "{body}". An
	// {id} needs literal text between it and any other word, which marks its end. The
	// other words need none: the URL is fixed, and a timestamp has as many digits as
	// the present time, so nobody can move a byte from one to the other.
	Signed string
	// TimestampHeader is the header with the value of {timestamp}: the decimal digits
	// of a Unix time in seconds.
	TimestampHeader string
	// Tolerance is the maximum difference between {timestamp} and the clock in whole
	// seconds, in both directions. Zero means 5 minutes, as Stripe, Slack and Standard
	// Webhooks recommend. A sender that repeats the first time when it tries again
	// needs a Tolerance as long as its retries last. A captured request is valid for as
	// long; its dedup keys make it a duplicate.
	Tolerance time.Duration
	// IDHeader is the header with the value of {id}, which becomes [Proof.ID]. An ID
	// that is not signed is read by [Source.Describe] instead.
	IDHeader string
	// URL is the value of {url}: the URL exactly as it is registered with the sender.
	// The URL of the request is never used, since a proxy may change it.
	URL string
	// URLFunc returns the value of {url} where it depends on the request. It is called
	// by Verify, never before the headers are well formed, and concurrently. An empty URL
	// is answered with 401, an error with 503. Take the URL from a table of tenants, not
	// from the request. If two tenants have the same key, neither URL may be the
	// beginning of the other, or the end if {url} is after {body}: a call to one of them
	// could be altered into one to the other.
	URLFunc func(*http.Request) (string, error)

	Keys []Key // accepted keys, all of one sender; see [Key]
	// KeysFunc, if not nil, returns the keys in place of Keys. It is called for each
	// request, so it must be fast. It should return the same slice until a key changes,
	// and must not change a slice that it has returned.
	KeysFunc func() []Key
	// KeysFor, if not nil, returns the keys of the sender of a request, such as those
	// of a tenant, in place of Keys and KeysFunc. It may ask a database, within the
	// context of the request. It is called by Verify, never before the headers are well
	// formed, and concurrently. No keys are answered with 401. An error is answered with
	// 503, and with the Retry-After of a [RetryAfter]; its text is logged. A stranger can
	// cause calls too, so a call must be cheap. The Label of a Key can name the tenant
	// for the Handler. Also set [Source.Scope].
	KeysFor func(*http.Request) ([]Key, error)

	live atomic.Pointer[keyring] // nil before Validate
}

// Validate refuses an empty header name, a hash with an unsupported size, an empty
// key list, an empty secret, and fields that do not fit together, such as a Signed
// with {url} and no URL. Of Keys, KeysFunc and KeysFor only one can be set.
func (m *HMAC) Validate() error {
	ring, err := m.prepare()
	if err != nil {
		return err
	}
	source := m.keySource()
	if err := source.validate(nil); err != nil {
		return err
	}
	if m.KeysFor == nil {
		ring = m.newKeyring(source.static(), ring.text)
	}
	m.live.Store(ring)
	return nil
}

// Admit returns nil if the request has the headers once and they are well formed, with
// a recent timestamp if it is signed.
func (m *HMAC) Admit(r *http.Request) error {
	var c claimed
	return m.parse(m.live.Load(), r, &c)
}

// Verify compares the MACs in the header with that of the signed text under each key.
// The Proof has the label of the matching key, the MAC as Signature, and the ID if it
// is signed.
func (m *HMAC) Verify(r *http.Request, body []byte) (Proof, error) {
	var c claimed
	ring := m.live.Load()
	if err := m.parse(ring, r, &c); err != nil {
		return Proof{}, err
	}
	ring, err := m.keyring(r, ring)
	if err != nil {
		return Proof{}, err
	}
	if err := ring.text.readURL(r, &c.values); err != nil {
		return Proof{}, err
	}
	if k := m.match(ring, &c, body); k != nil {
		return Proof{KeyLabel: k.label, ID: c.values.id, Signature: append([]byte(nil), c.digest[:ring.size]...)}, nil
	}
	hint := bodyHint(r, body)
	if ring.text.has[urlWord] {
		c.values.url = requestURL(r)
		if m.match(ring, &c, body) != nil {
			hint = otherURL
		}
	}
	return Proof{}, fmt.Errorf("%w: %s matches no live key %s%s%s", ErrUnverified, ring.header, triedKeys(ring.from), ring.text.mismatch(), hint)
}

// Sign sets the headers. It signs with the first key, the current time, and URL. If the
// request has an ID already, Sign keeps it, so that a retry has the same ID.
func (m *HMAC) Sign(r *http.Request, body []byte) error {
	ring, err := m.prepare()
	if err != nil {
		return err
	}
	key, err := m.keySource().signing(r, nil)
	if err != nil {
		return err
	}
	values, err := ring.text.sign(r)
	if err != nil {
		return err
	}
	head, tail := ring.text.around(&values)
	h := hmac.New(m.hash(), key.Secret.bytes())
	h.Write(head)
	h.Write(body)
	h.Write(tail)
	r.Header.Set(m.Header, m.Items.join(values.timestamp, m.Prefix+m.Encoding.encode(h.Sum(nil))))
	return nil
}

func (m *HMAC) keySource() keySource {
	return keySource{verifier: "HMAC", owner: m, keys: m.Keys, live: m.KeysFunc, each: m.KeysFor}
}

func (m *HMAC) paddedSecrets() []string { return m.keySource().padded() }

func (m *HMAC) asksKeys() bool { return m.KeysFor != nil }

func (m *HMAC) hash() func() hash.Hash {
	if m.Hash == nil {
		return sha256.New
	}
	return m.Hash
}

// prepare checks all fields but the keys. It returns a keyring without keys.
func (m *HMAC) prepare() (*keyring, error) {
	if m.Header == "" {
		return nil, errors.New("webhook: HMAC has no header")
	}
	if size := m.hash()().Size(); size < minMAC || size > maxMAC {
		return nil, fmt.Errorf("webhook: HMAC: a digest of %d bytes is not supported", size)
	}
	if err := m.Items.validate(); err != nil {
		return nil, fmt.Errorf("webhook: HMAC: %w", err)
	}
	if !m.Items.isZero() && strings.Contains(m.Prefix, m.Items.separator()) {
		return nil, fmt.Errorf("webhook: HMAC: Prefix %q has the separator of Items: no item can begin so", m.Prefix)
	}
	text, err := signedFields{
		Header: m.Header, Signed: m.Signed, TimestampHeader: m.TimestampHeader, TimeItem: m.Items.Time, IDHeader: m.IDHeader,
		Tolerance: m.Tolerance, URL: registeredURL{m.URL, m.URLFunc},
	}.prepare("HMAC")
	if err != nil {
		return nil, err
	}
	return m.newKeyring(nil, text), nil
}

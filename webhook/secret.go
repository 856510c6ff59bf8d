package webhook

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const redacted = "REDACTED"

// A Secret is key material that does not print. Through fmt, log/slog,
// encoding/json and encoding.TextMarshaler it is the word REDACTED. A struct
// that hides one in an unexported field prints an address, and printers that
// follow pointers by reflection end at a func: the bytes are what it returns.
//
// The zero value is empty: it matches nothing, and every verifier refuses it in
// Validate. A Secret never changes, may be copied, and is safe for concurrent
// use. Compare secrets with [Secret.Equal], not with ==.
type Secret struct {
	material *func() []byte // a pointer, so that secrets can be map keys
}

// NewSecret keeps the bytes of s as they are. White space counts: trim what
// was read from a file before it comes here. A [Receiver] warns of a secret that
// begins or ends in white space.
func NewSecret(s string) Secret {
	b := []byte(s)
	material := func() []byte { return b }
	return Secret{material: &material}
}

// Reveal returns a copy of the bytes, for code that must hand them on, such as
// a client that sends the secret as a bearer token. The name is meant to stand
// out in a review.
func (s Secret) Reveal() []byte {
	return append([]byte(nil), s.bytes()...)
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return len(s.bytes()) == 0 }

// Equal reports whether s and the given bytes are the same, in a time that
// tells nothing of where they differ. An empty secret equals nothing.
func (s Secret) Equal(given []byte) bool {
	want, got := sha256.Sum256(s.bytes()), sha256.Sum256(given)
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && !s.IsZero()
}

// String returns REDACTED.
func (s Secret) String() string { return redacted }

// GoString returns REDACTED.
func (s Secret) GoString() string { return redacted }

// LogValue returns REDACTED.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED, so that no encoder writes the bytes.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (s Secret) bytes() []byte {
	if s.material == nil {
		return nil
	}
	return (*s.material)()
}

// A Key is one live secret under a name. Several keys are live while a secret
// is rotated; the label of the one that matched is kept in
// [Delivery.KeyLabel], so that one can see when the old secret is out of use.
//
// Keys are not tenants: a dedup key does not hold the label, since what comes
// again during a rotation must still be a duplicate. Two senders whose ids may
// be equal need two Sources, each with a Name of its own.
type Key struct {
	Label  string // printed and stored, so not a secret; may be empty
	Secret Secret
}

// paddedSecrets says which secrets of these verifiers begin or end in white
// space, one line for each.
func paddedSecrets(vs ...Verifier) []string {
	var lines []string
	for _, v := range vs {
		if p, ok := v.(interface{ paddedSecrets() []string }); ok {
			lines = append(lines, p.paddedSecrets()...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// paddedKeys is paddedSecrets for keys whose white space counts. It shows nothing
// of the secrets but that.
func paddedKeys(keys []Key) []string {
	var lines []string
	for i, k := range keys {
		secret := k.Secret.bytes()
		begins := len(bytes.TrimLeftFunc(secret, unicode.IsSpace)) < len(secret)
		ends := len(bytes.TrimRightFunc(secret, unicode.IsSpace)) < len(secret)
		switch {
		case ends:
			lines = append(lines, fmt.Sprintf("the secret of key %d ends in white space: a newline read from a file?", i+1))
		case begins:
			lines = append(lines, fmt.Sprintf("the secret of key %d begins in white space", i+1))
		}
	}
	return lines
}

// tried says how many live keys did not match, and what is odd about them.
func tried(keys []Key) string {
	n := 0
	for _, k := range keys {
		if !k.Secret.IsZero() {
			n++
		}
	}
	return "(" + strings.Join(append([]string{strconv.Itoa(n) + " tried"}, paddedKeys(keys)...), "; ") + ")"
}

// Keys labels secrets by their place: "1", "2" and so on. Keys are not tenants;
// see [Key].
func Keys(secrets ...Secret) []Key {
	keys := make([]Key, len(secrets))
	for i, s := range secrets {
		keys[i] = Key{Label: strconv.Itoa(i + 1), Secret: s}
	}
	return keys
}

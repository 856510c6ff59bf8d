package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
)

const redacted = "REDACTED"

// A Secret is key material that is never printed. fmt, log/slog, encoding/json and
// encoding.TextMarshaler print it as REDACTED. A struct with a Secret in an
// unexported field prints an address instead. The bytes are kept behind a func, so
// reflection-based printers cannot reach them.
//
// The zero value is an empty secret. It matches nothing, and the Validate method of
// every verifier refuses it. A Secret is immutable, may be copied, and is safe for
// concurrent use. Compare secrets with [Secret.Equal], not with ==.
type Secret struct {
	material *func() []byte // a pointer, so that a Secret can be a map key
}

// NewSecret returns a Secret of the bytes of s. White space is part of the secret:
// trim text that was read from a file first. A [Receiver] logs a warning about a
// secret that begins or ends in white space.
func NewSecret(s string) Secret {
	b := []byte(s)
	material := func() []byte { return b }
	return Secret{material: &material}
}

// Reveal returns a copy of the bytes, for code that must send them, such as a client
// with a bearer token. The name makes such code easy to find in a review.
func (s Secret) Reveal() []byte {
	return append([]byte(nil), s.bytes()...)
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return len(s.bytes()) == 0 }

// Equal reports whether s equals the given bytes. Its duration does not depend on
// where they differ. An empty secret equals nothing.
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

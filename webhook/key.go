package webhook

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Key is a secret with a label. A verifier may have several keys while a secret
// is rotated. [Delivery.KeyLabel] is the label of the key that matched, so that it
// can be seen when the old secret is no longer used.
//
// Keys are not tenants: a dedup key does not contain the label, since a redelivery
// during a rotation must still be a duplicate. For senders whose IDs may be equal use
// two Sources, each with its own Name. For many tenants use one Source with
// [Source.Scope], and KeysFor of its verifier.
type Key struct {
	Label  string // printed and stored, so it must not be secret; may be empty
	Secret Secret
}

// Keys labels the secrets by their position: "1", "2" and so on. Keys are not
// tenants; see [Key].
func Keys(secrets ...Secret) []Key {
	keys := make([]Key, len(secrets))
	for i, s := range secrets {
		keys[i] = Key{Label: strconv.Itoa(i + 1), Secret: s}
	}
	return keys
}

// matchKey returns the label of the first key whose secret equals given. It
// compares digests, and all keys, so that its duration depends neither on the
// length of a secret nor on the position of a match.
func matchKey(keys []Key, given string) (label string, ok bool) {
	got := sha256.Sum256([]byte(given))
	for _, k := range keys {
		want := sha256.Sum256(k.Secret.bytes())
		equal := subtle.ConstantTimeCompare(want[:], got[:]) == 1
		if equal && !ok && !k.Secret.IsZero() {
			label, ok = k.Label, true
		}
	}
	return label, ok
}

// triedKeys says how many keys did not match, and which of them begin or end in
// white space.
func triedKeys(keys []Key) string {
	n := 0
	for _, k := range keys {
		if !k.Secret.IsZero() {
			n++
		}
	}
	return "(" + strings.Join(append([]string{strconv.Itoa(n) + " tried"}, paddedKeys(keys)...), "; ") + ")"
}

// paddedKeys says which secrets begin or end in white space, one line for each. It
// shows nothing else of the secrets. It is for verifiers that compare white space
// too.
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

// unusableKey says which is the first key that check refuses, such as one of a tenant that
// is not Base64: Validate refuses it, but a func may return it later. It returns an empty
// text if there is none.
func unusableKey(keys []Key, check func(Secret) error) string {
	for i, k := range keys {
		if err := check(k.Secret); err != nil {
			return fmt.Sprintf("; key %d cannot be used: %v", i+1, err)
		}
	}
	return ""
}

// paddedSecrets returns the lines of paddedKeys for all of the verifiers.
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

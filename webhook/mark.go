package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxName is the longest ID, Type, ordering key or dedup key in bytes, a bound
// that every database's indexed text columns hold.
const maxName = 255

// dedupKeys gathers what makes a second delivery a duplicate. An id and a
// signature have prefixes, so that neither is taken for the other; what
// Describe names stands as it is.
func dedupKeys(about Description, proof Proof) []string {
	byID := about.ID != "" && (about.DedupKeys == nil || proof.ID != "")
	byProof := about.DedupBySignature && len(proof.Signature) > 0
	if len(about.DedupKeys) == 0 && !byID && !byProof {
		return nil
	}
	keys := make([]string, 0, len(about.DedupKeys)+2)
	for _, m := range about.DedupKeys {
		keys = append(keys, clamp(m))
	}
	if byID {
		keys = append(keys, clamp("id:"+about.ID))
	}
	if byProof {
		var text [len("mac:") + 2*maxMAC]byte
		keys = append(keys, string(hex.AppendEncode(append(text[:0], "mac:"...), proof.Signature)))
	}
	return keys
}

// clamp returns s as text that every database takes: valid UTF-8 without NUL,
// at most 255 bytes. What was cut ends in a digest of the whole, so that two
// long names stay two.
func clamp(s string) string {
	if len(s) <= maxName && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	tail := "~" + hex.EncodeToString(sum[:16])
	text := cleanText(s)
	cut := min(len(text), maxName-len(tail))
	for cut > 0 && cut < len(text) && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + tail
}

// cleanText replaces what is not UTF-8, and NUL.
func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// neverKept are the headers that no Delivery has.
var neverKept = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// headerWithout copies h and leaves out the headers named by credentials and
// those whose value holds one of the given secrets. The value slices are shared.
func headerWithout(h http.Header, credentials, secrets []string) http.Header {
	kept := maps.Clone(h)
	for _, name := range neverKept {
		delete(kept, name)
	}
	for _, name := range credentials {
		delete(kept, name)
	}
	if len(secrets) > 0 {
		maps.DeleteFunc(kept, func(_ string, values []string) bool {
			return slices.ContainsFunc(values, func(v string) bool {
				return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(v, s) })
			})
		})
	}
	return kept
}

func hasType(types []string, contentType string) bool {
	got := mediaType(contentType)
	return slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, got) })
}

package webhook

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// clamp returns s as text that every database stores: valid UTF-8 without NUL, at
// most 255 bytes. A changed text ends in a digest of s, so that two different
// names stay different.
func clamp(s string) string {
	if len(s) <= limit.Name && isText(s) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	tail := "~" + hex.EncodeToString(sum[:16])
	text := cleanText(s)
	cut := min(len(text), limit.Name-len(tail))
	for cut > 0 && cut < len(text) && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + tail
}

// appendClamped appends clamp(prefix + s), without building that string if it needs
// no change.
func appendClamped(dst []byte, prefix, s string) []byte {
	if len(prefix)+len(s) > limit.Name || !isText(s) {
		return append(dst, clamp(prefix+s)...)
	}
	return append(append(dst, prefix...), s...)
}

// isText reports whether every database stores s unchanged as text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// cleanText replaces NUL and bytes that are not UTF-8 by U+FFFD.
func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// reason returns the text of err as an [Outcome] stores it.
func reason(err error) string { return clipReason(err.Error()) }

// malformedText returns the text of what Describe found malformed, empty if it found
// nothing.
func malformedText(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(reason(err), "malformed")
}

// clipReason returns text as every database stores it, at most 4 KiB.
func clipReason(text string) string {
	text = cleanText(text)
	return strings.ToValidUTF8(text[:min(len(text), limit.Reason)], "")
}

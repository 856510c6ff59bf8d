package sqlinbox

import (
	"strings"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// reason returns the part of a text that is kept as a reason.
func reason(text string) string { return cleanText(text[:min(len(text), limit.Reason)]) }

// claimedBy returns the part of a claimer's name that is kept.
func claimedBy(name string) string {
	name = cleanText(name)
	return strings.ToValidUTF8(name[:min(len(name), limit.Name)], "")
}

// cleanText replaces NUL and bytes that are not UTF-8 by U+FFFD.
func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

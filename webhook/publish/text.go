package publish

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textFault says why no database takes s as a text of up to limit bytes. It is empty if
// each does.
func textFault(s string, limit int) string {
	switch {
	case len(s) > limit:
		return fmt.Sprintf("it has %d bytes, at most %d are allowed", len(s), limit)
	case !utf8.ValidString(s):
		return "it is not UTF-8"
	case strings.Contains(s, "\x00"):
		return "it has a NUL"
	}
	return ""
}

// notOfWord reports whether r cannot be in a word of a type.
func notOfWord(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// quote returns s for an error: quoted, and cut if it is long.
func quote(s string) string {
	const most = 64
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(s[:most]) + "..."
}

// cleanText returns how s begins, up to limit bytes, with U+FFFD instead of NUL and of bytes
// that are not UTF-8.
func cleanText(s string, limit int) string {
	s = s[:min(len(s), limit)]
	clean := strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(clean) <= limit {
		return clean
	}
	return strings.ToValidUTF8(clean[:limit], "") // the end may be in the middle of a rune
}

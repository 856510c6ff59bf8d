package scan

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// likeness is how a name in a document relates to a watched one.
type likeness uint8

const (
	unlike likeness = iota
	folded          // equal only once case is folded
	exact
)

// isPlain reports whether a watched name is ASCII without a backslash: then a
// name in a document that has the same bytes is the same name, undecoded.
func isPlain(name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf || name[i] == '\\' {
			return false
		}
	}
	return true
}

// compare relates raw, the inside of a JSON string, to a watched name; plain is
// isPlain(name).
func compare(raw []byte, name string, plain bool) likeness {
	if !plain {
		return compareRunes(raw, name)
	}
	if string(raw) == name {
		return exact
	}
	same := len(raw) == len(name)
	for i, c := range raw {
		if c >= utf8.RuneSelf || c == '\\' {
			return compareRunes(raw, name)
		}
		same = same && lower(c) == lower(name[i])
	}
	if same {
		return folded
	}
	return unlike
}

// compareRunes is compare without short cuts: rune by rune, both decoded.
func compareRunes(raw []byte, name string) likeness {
	like := exact
	for len(raw) > 0 && name != "" {
		r, size := nextRune(raw)
		w, width := utf8.DecodeRuneInString(name)
		if r != w {
			if !foldsTo(r, w) {
				return unlike
			}
			like = folded
		}
		raw, name = raw[size:], name[width:]
	}
	if len(raw) > 0 || name != "" {
		return unlike
	}
	return like
}

// lower is c in lower case if c is an ASCII letter, else c.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// foldsTo reports whether a and b are one letter under simple case folding. The
// orbit of a letter may have more than two members: K, k and the Kelvin sign.
func foldsTo(a, b rune) bool {
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return a == b
}

// nextRune decodes the first character of raw, the inside of a JSON string, and
// returns how many bytes it takes. raw is not empty. The result is U+FFFD for
// half a surrogate pair, a byte that is not UTF-8 and an escape cut short.
func nextRune(raw []byte) (r rune, size int) {
	if raw[0] != '\\' {
		return utf8.DecodeRune(raw)
	}
	if len(raw) < 2 {
		return utf8.RuneError, len(raw)
	}
	switch c := raw[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unitRune(raw)
	default:
		return rune(c), 2
	}
}

// unitRune decodes a raw that begins with \u. A second unit is taken only when
// it completes the pair, so a stray half never swallows what follows it.
func unitRune(raw []byte) (r rune, size int) {
	first, ok := hexUnit(raw)
	if !ok {
		return utf8.RuneError, 2
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := hexUnit(raw[6:]); ok {
		if pair := utf16.DecodeRune(first, second); pair != unicode.ReplacementChar {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hexUnit reads the UTF-16 code unit of a raw that begins with \uXXXX; ok is
// false when it does not.
func hexUnit(raw []byte) (unit rune, ok bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	for _, c := range raw[2:6] {
		switch c = lower(c); {
		case isDigit(c):
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

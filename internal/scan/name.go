package scan

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A match is the result of comparing a name in a document with a watched name.
type match uint8

const (
	noMatch    match = iota
	foldMatch        // equal under case folding only
	exactMatch       // equal
)

// isPlain reports whether a watched name is ASCII without a backslash. A name in a
// document that has the same bytes then matches it without decoding.
func isPlain(name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf || name[i] == '\\' {
			return false
		}
	}
	return true
}

// compare compares raw, the bytes between the quotes of a JSON string, with a watched
// name. The argument plain is isPlain(name).
func compare(raw []byte, name string, plain bool) match {
	if !plain {
		return compareRunes(raw, name)
	}
	if string(raw) == name {
		return exactMatch
	}
	same := len(raw) == len(name)
	for i, c := range raw {
		if c >= utf8.RuneSelf || c == '\\' {
			return compareRunes(raw, name)
		}
		same = same && lower(c) == lower(name[i])
	}
	if same {
		return foldMatch
	}
	return noMatch
}

// compareRunes is the slow path of compare. It decodes both names rune by rune.
func compareRunes(raw []byte, name string) match {
	m := exactMatch
	for len(raw) > 0 && name != "" {
		r, size := nextRune(raw)
		w, width := utf8.DecodeRuneInString(name)
		if r != w {
			if !foldsTo(r, w) {
				return noMatch
			}
			m = foldMatch
		}
		raw, name = raw[size:], name[width:]
	}
	if len(raw) > 0 || name != "" {
		return noMatch
	}
	return m
}

// lower returns c in lower case if c is an ASCII letter, or else c.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// foldsTo reports whether a and b are equal under simple case folding. More than two
// runes can be equal: K, k and the Kelvin sign.
func foldsTo(a, b rune) bool {
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return a == b
}

// nextRune decodes the first character of raw, the bytes between the quotes of a JSON
// string, and returns its length in bytes. raw must not be empty. The rune is U+FFFD
// for half a surrogate pair, a byte that is not UTF-8, and an incomplete escape.
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

// unitRune decodes the first character of a raw that begins with \u. It reads a
// second escape only if the two are a surrogate pair.
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

// hexUnit returns the UTF-16 code unit of a raw that begins with \uXXXX. It is not ok
// if raw does not.
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

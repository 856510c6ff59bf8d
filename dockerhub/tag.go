package dockerhub

import "strings"

// A Tag names an image within its repository.
//
// By convention, a tag that is a full version is pushed once. Other tags, such
// as 1.2, 1, latest, edge, nightly, sha-0a1b2c3 and pr-2, move from image to
// image. A release usually pushes both kinds: act on the full version, once.
// The program decides which versions it accepts.
type Tag string

// maxTag is the longest tag in bytes (distribution/reference: regexp.go).
const maxTag = 128

// Valid reports whether a registry can hold the tag: 1 to 128 ASCII letters,
// digits, '_', '.' and '-', of which '.' and '-' are not allowed as the first
// character. The body is not signed, so call Valid before you use the tag in a
// command or a path.
func (t Tag) Valid() bool {
	if len(t) == 0 || len(t) > maxTag || t[0] == '.' || t[0] == '-' {
		return false
	}
	for i := range len(t) {
		if c := t[i]; !isAlphanumeric(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// IsVersion reports whether the tag is a full semantic version, X.Y.Z or
// X.Y.Z-pre, with or without a leading v. A tag cannot hold build metadata.
func (t Tag) IsVersion() bool {
	_, ok := t.version()
	return ok
}

// IsPrerelease reports whether the tag is a full version with a suffix, such as
// 1.4.0-rc.1. It is also true for a variant such as 1.4.0-alpine, which has the
// same form.
func (t Tag) IsPrerelease() bool {
	pre, ok := t.version()
	return ok && pre != ""
}

// version returns the part after "X.Y.Z-", and whether the tag is a version.
func (t Tag) version() (pre string, ok bool) {
	if !t.Valid() {
		return "", false
	}
	core, pre, hasPre := strings.Cut(strings.TrimPrefix(string(t), "v"), "-")
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 {
		return "", false
	}
	for _, n := range numbers {
		if !isNumber(n) {
			return "", false
		}
	}
	if !hasPre {
		return "", true
	}
	for id := range strings.SplitSeq(pre, ".") {
		if !isIdentifier(id) {
			return "", false
		}
	}
	return pre, true
}

// isNumber reports whether s is a decimal number without leading zeros.
func isNumber(s string) bool {
	return isDigits(s) && (s == "0" || s[0] != '0')
}

// isIdentifier reports whether s is valid between the dots of a pre-release.
func isIdentifier(s string) bool {
	if isDigits(s) {
		return isNumber(s)
	}
	return s != "" && !strings.Contains(s, "_")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

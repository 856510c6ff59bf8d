package dockerhub

import "strings"

// A Tag names an image within its repository. A tag that is a full version is
// pushed once by custom; others, such as 1.2, 1, latest, edge, nightly,
// sha-0a1b2c3 and pr-2, move from image to image. One release usually pushes
// both kinds: act on the full version, once. Which versions to take is left to
// the program.
type Tag string

// maxTag is the longest tag in bytes (distribution/reference: regexp.go).
const maxTag = 128

// Valid reports whether a registry can hold the tag: 1 to 128 ASCII letters,
// digits, '_', '.' and '-', of which the last two do not come first. Since the
// body is not signed, ask before the tag becomes part of a command or a path.
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

// IsVersion reports whether the tag is a full version of Semantic Versioning,
// with or without a leading v: X.Y.Z or X.Y.Z-pre. A tag cannot hold build
// metadata.
func (t Tag) IsVersion() bool {
	_, ok := t.version()
	return ok
}

// IsPrerelease reports whether the tag is a full version with a suffix, such as
// 1.4.0-rc.1. A variant such as 1.4.0-alpine is written the same way, and is
// reported too.
func (t Tag) IsPrerelease() bool {
	pre, ok := t.version()
	return ok && pre != ""
}

// version returns what stands behind X.Y.Z-, and whether the tag is a version.
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

// isNumber reports whether s is a decimal without leading zeros.
func isNumber(s string) bool {
	return isDigits(s) && (s == "0" || s[0] != '0')
}

// isIdentifier reports whether s may stand between the dots of a pre-release.
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

package inspect

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A digest is a header that looks like a signature of another kind.
type digest struct {
	header, begins string
	isSHA1         bool
}

var (
	digestStart = regexp.MustCompile(`(?i)^(sha-?(1|224|256|384|512)|md5|v\d{1,2}a?)[=:,]`)
	// digestName matches headers of signatures, and not those of tokens, which may be hex too.
	digestName = regexp.MustCompile(`(?i)sig|hmac|digest|hash|sha-?\d`)
	hexText    = regexp.MustCompile(`^[0-9a-fA-F]+$`)
)

// digestOf returns what a value is, if it looks like a signature. It shows nothing of it.
func digestOf(header, value string) (d digest, ok bool) {
	if start := digestStart.FindString(value); start != "" {
		return digest{header, "begins with " + start, strings.Trim(strings.ToLower(start), "=:,") == "sha1"}, true
	}
	if n := len(value); hexText.MatchString(value) && (n == 32 || n == 40 || n == 64 || n == 128) {
		return digest{header, fmt.Sprintf("has %d hex digits, as %s makes them", n, map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[n]), n == 40}, true
	}
	return d, false
}

// digests returns the headers that look like signatures, sorted by name.
func (x *examination) digests() (list []digest) {
	for _, name := range slices.Sorted(maps.Keys(x.r.Header)) {
		value := x.r.Header.Get(name)
		if d, ok := digestOf(name, value); ok && (digestName.MatchString(name) || digestStart.MatchString(value)) {
			list = append(list, d)
		}
	}
	return list
}

// signature looks for a fault in the header of a signature: a digest alone, or items.
func (x *examination) signature(header, prefix string, alone bool, encoding webhook.Encoding, size int) bool {
	if x.missing(header) {
		return true
	}
	header = http.CanonicalHeaderKey(header)
	value := x.r.Header.Get(header)
	if !alone {
		return false
	}
	rest, ok := strings.CutPrefix(value, prefix)
	seen, isDigest := digestOf(header, value)
	cause := "digest_prefix"
	if seen.isSHA1 && size != 20 {
		cause = "sha1_only"
	}
	switch {
	case !ok && isDigest:
		x.add(observed, cause, "%s %s, and %q is wanted, with %d bytes in %s.", header, seen.begins, prefix, size, encodingName(encoding))
	case !ok:
		x.add(observed, cause, "%s does not begin with %q.", header, prefix)
	case encoding == webhook.Hex && len(rest) != 2*size && isDigest && prefix == "":
		x.add(observed, cause, "%s %s, and a digest of %d bytes in hex is wanted.", header, seen.begins, size)
	case encoding == webhook.Hex && !hexText.MatchString(rest):
		x.add(observed, "digest_encoding", "%s has %d characters that are not all hex digits, and a digest of %d bytes in hex is wanted: is it Base64, or in quotes?", header, len(rest), size)
	case encoding == webhook.Hex && len(rest) != 2*size:
		x.add(observed, "digest_size", "%s has %d hex digits, and %d are wanted.", header, len(rest), 2*size)
	default:
		return false
	}
	return true
}

func encodingName(e webhook.Encoding) string {
	if e == webhook.Base64 {
		return "Base64"
	}
	return "hex"
}

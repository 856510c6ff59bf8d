package inspect

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const redacted = "REDACTED"

var (
	// provingName matches headers with which somebody else could make the same call, and
	// those in which proxies pass on its URL, which may have a token.
	provingName = regexp.MustCompile(`(?i)sig\b|sig(nature)?[-_]|signature|hmac|digest|token|secret|auth|cookie|passw|credential|api-?key|` +
		`-key$|session|jwt|original|rewrite|referer|-ur[il]\b|-path\b|\bur[il]\b|query|prefix`)
	// provingValue matches what looks like a signature, a key or credentials, whatever the
	// name of the header: an algorithm or a version before a value, a long value in hex or
	// Base64 alone, a JSON Web Token, a scheme of authentication, and the path of a call.
	provingValue = regexp.MustCompile(`(?i)\b(sha-?\d+|md5|hmac|v\d+a?)[=:,]|^[0-9a-f]{40,}$|^[a-z0-9+/_-]{43,}={0,2}$|^[a-z0-9+/_-]{26,}={1,2}$|` +
		`\beyJ[a-z0-9_-]+\.|^(basic|bearer|digest) |^([a-z]+ )?/[^ ]`)
)

// shown returns a header without the values that must not be shown.
func (in *Inspector) shown(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	_, proving := in.watched.all()
	shown := make(http.Header, len(h))
	for name, values := range h {
		hidden := proving[name] || provingName.MatchString(name) || slices.ContainsFunc(values, provingValue.MatchString) ||
			slices.ContainsFunc(in.Redact, func(r string) bool { return strings.EqualFold(r, name) })
		values = slices.Clone(values)
		for i, v := range values {
			values[i] = shownReason(v)
		}
		if hidden && name != "Traceparent" {
			values = []string{redacted}
		}
		shown[name] = values
	}
	return shown
}

// shownKeys returns dedup keys without those that are signatures.
func shownKeys(keys []string) []string {
	shown := slices.Clone(keys)
	for i, k := range shown {
		if scope, _, ok := strings.Cut(k, "mac:"); ok {
			shown[i] = scope + "mac:" + redacted
		}
	}
	return shown
}

var (
	urlText  = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#"'@]*@)?([^\s/?#"']*)([/?#][^\s"']*)?`)
	longText = regexp.MustCompile(`(?i)\b(bearer|basic) [a-z0-9+/_.=-]+`)
	// namedText is what is named a secret, such as password=x.
	namedText = regexp.MustCompile(`(?i)([a-z0-9_-]*(?:passw|pwd|secret|token|credential|signature|api_?-?key)[a-z0-9_-]*=)("[^"]*"|'[^']*'|[^\s"',;&]+)`)
)

// shownReason returns a text of the program, such as the error of a callback, without what
// may be a secret in it: of a URL it keeps the scheme and the host, and of password=x the
// name.
func shownReason(text string) string {
	// Most have none of the marks that the expressions need.
	if !strings.ContainsAny(text, "=/") && !strings.Contains(lowerASCII(text), "bearer ") && !strings.Contains(lowerASCII(text), "basic ") {
		return text
	}
	text = urlText.ReplaceAllStringFunc(text, func(u string) string {
		part := urlText.FindStringSubmatch(u)
		if part[3] == "" || part[3] == "/" {
			return part[1] + part[2] + part[3]
		}
		return part[1] + part[2] + "/" + redacted
	})
	text = longText.ReplaceAllStringFunc(text, func(found string) string {
		scheme, value, _ := strings.Cut(found, " ")
		if value == "credentials" {
			return found // the words of a verifier
		}
		return scheme + " " + redacted
	})
	return namedText.ReplaceAllString(text, "${1}"+redacted)
}

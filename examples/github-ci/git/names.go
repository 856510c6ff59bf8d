package git

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

var commitName = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// IsCommit reports whether text has the form of the id of a commit or another object.
func IsCommit(text string) bool { return commitName.MatchString(text) }

// maxRef is the maximum length of a ref in bytes. GitHub's limit is lower.
const maxRef = 1000

// CheckRef returns an error unless ref is the full name of a branch or tag that follows
// the rules of git check-ref-format. It also rejects a name that begins with a dash: git
// itself never creates one, and a script might take it for an option. A valid ref may still
// contain quotes, dollar signs and angle brackets, so pass it only as one argument, in one
// variable, or escaped.
func CheckRef(ref string) error {
	name, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		name, ok = strings.CutPrefix(ref, "refs/tags/")
	}
	var reason string
	switch {
	case !ok:
		reason = "neither a branch nor a tag"
	case len(ref) > maxRef:
		return fmt.Errorf("the ref is longer than %d bytes", maxRef)
	case !utf8.ValidString(ref):
		reason = "not UTF-8"
	case strings.HasPrefix(name, "-"):
		reason = "begins with a dash"
	case strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		reason = "contains a character that git forbids"
	case strings.Contains(name, "..") || strings.Contains(name, "@{") || name == "@" || strings.HasSuffix(name, "."):
		reason = "contains a sequence that git forbids"
	default:
		for part := range strings.SplitSeq(name, "/") {
			if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
				reason = "contains a path element that git forbids"
			}
		}
	}
	if reason != "" {
		return fmt.Errorf("invalid ref %.100q: %s", ref, reason)
	}
	return nil
}

// Server returns the URL of the repositories of the GitHub with the given API: https://HOST
// for an API at https://api.HOST, as github.com, GHE.com and a GitHub Enterprise Server with
// subdomain isolation have it, and for one at https://HOST/api/v3. The API's host is
// returned as it is if neither applies.
func Server(api *url.URL) *url.URL {
	return &url.URL{Scheme: api.Scheme, Host: strings.TrimPrefix(api.Host, "api.")}
}

// IsSameServer reports whether the remote is on the GitHub with the given API, so that the
// token may be sent to it.
func IsSameServer(api *url.URL, remote string) bool {
	u, err := url.Parse(remote)
	return err == nil && u.Scheme == api.Scheme && (u.Host == api.Host || u.Host == Server(api).Host)
}

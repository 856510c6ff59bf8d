package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/github"
)

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9_.-]{1,100}$`)
	commitName     = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
)

// checkRepository returns an error unless name has the form "owner/name" with
// the characters that GitHub allows.
func checkRepository(name string) error {
	_, last, _ := strings.Cut(name, "/")
	if !repositoryName.MatchString(name) || last == "." || last == ".." {
		return fmt.Errorf(`%q is not a repository such as "acme/app"`, name)
	}
	return nil
}

// maxRef is the maximum length of a ref in bytes. GitHub's limit is lower.
const maxRef = 1000

// checkRef returns an error unless ref is the full name of a branch or tag that
// follows the rules of git check-ref-format. It also rejects a name that begins
// with a dash: git itself never creates one, and a script might take it for an
// option. A valid ref may still contain quotes, dollar signs and angle brackets,
// so pass it only as one argument, in one variable, or escaped.
func checkRef(ref string) error {
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

// commitOf returns the pushed commit. For an annotated tag After is the tag
// object, so commitOf returns the head commit.
func commitOf(p github.Push) (string, error) {
	sha := p.After
	if _, ok := p.Tag(); ok && p.HeadCommit != nil {
		sha = p.HeadCommit.ID
	}
	if !commitName.MatchString(sha) {
		return "", fmt.Errorf("%.100q is not a commit id", sha)
	}
	return sha, nil
}

// titleOf returns the first line of the newest commit's message, at most 120
// characters.
func titleOf(p github.Push) string {
	if p.HeadCommit == nil {
		return ""
	}
	line, _, _ := strings.Cut(p.HeadCommit.Message, "\n")
	title := []rune(strings.ReplaceAll(strings.ToValidUTF8(line, ""), "\x00", ""))
	return cmp.Or(string(title[:min(len(title), 120)]), "(no message)")
}

package main

import (
	"cmp"
	"errors"
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

// checkRepository takes "owner/name" as GitHub gives them.
func checkRepository(name string) error {
	_, last, _ := strings.Cut(name, "/")
	if !repositoryName.MatchString(name) || last == "." || last == ".." {
		return fmt.Errorf(`%q is no repository such as "acme/app"`, name)
	}
	return nil
}

// maxRef is more than GitHub takes.
const maxRef = 1000

// checkRef takes a whole ref by the rules of git check-ref-format, and no branch
// or tag that begins with a dash, which git itself never makes and which would
// be an option to a script that trusts it. What passes may still hold quotes,
// dollars and angle brackets: it is only ever handed on as one argument, as one
// variable, or escaped.
func checkRef(ref string) error {
	name, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		name, ok = strings.CutPrefix(ref, "refs/tags/")
	}
	var fault string
	switch {
	case !ok:
		fault = "neither branch nor tag"
	case len(ref) > maxRef:
		return errors.New("the ref is longer than git and GitHub take")
	case !utf8.ValidString(ref):
		fault = "not UTF-8"
	case strings.HasPrefix(name, "-"):
		fault = "begins with a dash"
	case strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		fault = "a character that git forbids"
	case strings.Contains(name, "..") || strings.Contains(name, "@{") || name == "@" || strings.HasSuffix(name, "."):
		fault = "a sequence that git forbids"
	default:
		for part := range strings.SplitSeq(name, "/") {
			if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
				fault = "a part that git forbids"
			}
		}
	}
	if fault != "" {
		return fmt.Errorf("%.100q is no ref to build: %s", ref, fault)
	}
	return nil
}

// commitOf returns the commit that was pushed: for an annotated tag After is the
// tag itself, so that the head commit counts.
func commitOf(p github.Push) (string, error) {
	sha := p.After
	if _, ok := p.Tag(); ok && p.HeadCommit != nil {
		sha = p.HeadCommit.ID
	}
	if !commitName.MatchString(sha) {
		return "", fmt.Errorf("%.100q is no commit", sha)
	}
	return sha, nil
}

// titleOf is the first line of the newest commit's message.
func titleOf(p github.Push) string {
	if p.HeadCommit == nil {
		return ""
	}
	line, _, _ := strings.Cut(p.HeadCommit.Message, "\n")
	text := []rune(strings.ReplaceAll(strings.ToValidUTF8(line, ""), "\x00", ""))
	return cmp.Or(string(text[:min(len(text), 120)]), "(no message)")
}

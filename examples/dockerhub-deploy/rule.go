package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/hookhouse/hookhouse/dockerhub"
)

// A rule deploys some tags of a repository to one target, such as
// "acme/app:^1.4=web". The tag part has one of these forms:
//
//	1.4.0, latest      this tag only, each time it is pushed
//	nightly-*          a glob with *, ? and [a-z]; the tag pushed last wins
//	^1.4, ~2.0, <3     a range of semver versions; the highest wins. Only full
//	                   versions X.Y.Z match, with or without a leading v, so
//	                   that 1, 1.4 and latest, which move with each release, do
//	                   not deploy it twice. Pre-releases match only if the range
//	                   contains one: ^1.4-0.
type rule struct {
	text       string
	repository string // as Docker Hub names it: acme/app
	target     string // a container, a service, or any name with -exec
	exact      dockerhub.Tag
	glob       string
	versions   *semver.Constraints
}

// A release is a tag and the time when its push was received.
type release struct {
	tag      dockerhub.Tag
	received time.Time
}

var (
	// repositoryName matches a repository without a host: the host is Docker Hub's or
	// that of -registry.
	repositoryName = regexp.MustCompile(`^(?:[a-z0-9_-]+/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)
	// targetName matches the container names that Docker accepts. None looks like an
	// option.
	targetName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	// wildcardVersion matches 1.4.x, which is a range in npm but may also be the tag of
	// images of a branch 1.4.x.
	wildcardVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)?(\.[xX])+$`)
)

// parseRule parses one rule. Its errors contain the rule and the reason.
func parseRule(text string) (rule, error) {
	errorf := func(format string, args ...any) (rule, error) {
		return rule{}, fmt.Errorf("rule %q: "+format, append([]any{text}, args...)...)
	}
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return errorf("no container: want image:tag=container")
	}
	r := rule{text: text, target: strings.TrimSpace(text[at+1:])}
	repository, tag, ok := strings.Cut(strings.TrimSpace(text[:at]), ":")
	r.repository = strings.TrimPrefix(repository, "docker.io/")
	switch {
	case tag != "" && strings.ContainsAny(tag[len(tag)-1:], "<>!~^"): // >=1.2
		return errorf("no container, or incomplete range %q: want image:tag=container", tag)
	case !targetName.MatchString(r.target):
		return errorf("%q is not a container name: want image:tag=container", r.target)
	case !repositoryName.MatchString(r.repository):
		return errorf("%q is not a repository of Docker Hub, such as acme/app", repository)
	case !ok || tag == "":
		return errorf("no tag: want image:tag=container")
	case strings.ContainsAny(tag, "^~<>=!|, "):
		var err error
		if r.versions, err = semver.NewConstraint(tag); err != nil {
			return errorf("%q is not a version range: %w", tag, err)
		}
	case strings.ContainsAny(tag, "*?["):
		if _, err := path.Match(tag, ""); err != nil {
			return errorf("%q is not a glob: %w", tag, err)
		}
		r.glob = tag
	case wildcardVersion.MatchString(tag):
		fixed := strings.TrimRight(tag, ".xX")
		return errorf("%q is ambiguous: write ~%s for a version range, or %s.[%s] for this tag", tag,
			strings.TrimPrefix(fixed, "v"), tag[:len(tag)-2], tag[len(tag)-1:])
	case !dockerhub.Tag(tag).Valid():
		return errorf("%q is not a tag: want at most 128 letters, digits, '_', '.' and '-'", tag)
	default:
		r.exact = dockerhub.Tag(tag)
	}
	return r, nil
}

// matches reports whether the rule deploys a tag, which may be any text.
func (r rule) matches(repository string, tag dockerhub.Tag) bool {
	if repository != r.repository || !tag.Valid() {
		return false
	}
	switch {
	case r.versions != nil:
		v := version(tag)
		return v != nil && r.versions.Check(v)
	case r.glob != "":
		ok, _ := path.Match(r.glob, string(tag))
		return ok
	default:
		return tag == r.exact
	}
}

// older reports whether a must not replace b. A release under an exact tag is
// never older, because its image is looked up in the registry.
func (r rule) older(a, b release) bool {
	switch {
	case r.versions != nil:
		va, vb := version(a.tag), version(b.tag)
		return va != nil && vb != nil && va.LessThan(vb)
	case r.glob != "":
		return a.received.Before(b.received)
	default:
		return false
	}
}

// stillMatches reports whether a tag that became wanted under the rule text, which
// may differ from r, also matches r.
func (r rule) stillMatches(text string, tag dockerhub.Tag) bool {
	before, err := parseRule(text)
	return err == nil && r.matches(before.repository, tag)
}

// version parses a tag. It returns nil if the tag is not a full version.
func version(tag dockerhub.Tag) *semver.Version {
	if !tag.IsVersion() {
		return nil
	}
	v, err := semver.NewVersion(string(tag))
	if err != nil {
		return nil // a number has more than 64 bits
	}
	return v
}

// rules holds the configured rules by target.
type rules map[string]rule

// add adds a rule. It returns an error if the target already has one, because two
// rules would deploy in turn.
func (rs rules) add(text string) error {
	r, err := parseRule(text)
	if err != nil {
		return err
	}
	if other, ok := rs[r.target]; ok {
		return fmt.Errorf("rule %q: %s already has a rule: %q", text, r.target, other.text)
	}
	rs[r.target] = r
	return nil
}

// addFile adds the rules of a file, one per line. It skips blank lines and lines
// that begin with #.
func (rs rules) addFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := rs.add(line); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}

var errNoRules = errors.New(`no rule: for example, -watch acme/app:latest=web deploys each new acme/app:latest as the container web; see -help for other rules`)

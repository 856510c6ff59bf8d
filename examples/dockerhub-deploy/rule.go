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

// A rule says which tags of a repository go to which target, such as
// "acme/app:^1.4=web". What the tag part is, its characters tell:
//
//	1.4.0, latest      exactly this tag, whatever image it is moved to
//	nightly-*          a glob: * ? and [a-z]; the tag pushed last wins
//	^1.4, ~2.0, <3     a range of semver versions; the highest wins. Only full
//	                   versions X.Y.Z match, with or without a leading v, so
//	                   that 1, 1.4 and latest, which move along with a release,
//	                   do not deploy it twice. Pre-releases match where the
//	                   range names one: ^1.4-0.
type rule struct {
	text       string
	repository string // as Docker Hub names it: acme/app
	target     string // a container, a service, or for -exec any name
	exact      dockerhub.Tag
	glob       string
	versions   *semver.Constraints
}

// A release is a tag and when the call that told of it came.
type release struct {
	tag      dockerhub.Tag
	received time.Time
}

var (
	// repositoryName has no host: it is Docker Hub's, or -registry's.
	repositoryName = regexp.MustCompile(`^(?:[a-z0-9_-]+/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)
	// targetName is what Docker takes for a container's name, so never an option.
	targetName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	// openVersion is a range to npm, and a tag that a branch 1.4.x gives its images.
	openVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)?(\.[xX])+$`)
)

// parseRule reads one rule. Its errors name the rule and the fault.
func parseRule(text string) (rule, error) {
	fault := func(format string, args ...any) (rule, error) {
		return rule{}, fmt.Errorf("rule %q: "+format, append([]any{text}, args...)...)
	}
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return fault("names no container: want image:tag=container")
	}
	r := rule{text: text, target: strings.TrimSpace(text[at+1:])}
	repository, tag, ok := strings.Cut(strings.TrimSpace(text[:at]), ":")
	r.repository = strings.TrimPrefix(repository, "docker.io/")
	switch {
	case tag != "" && strings.ContainsAny(tag[len(tag)-1:], "<>!~^"): // >=1.2
		return fault("names no container, or %q is half a range: want image:tag=container", tag)
	case !targetName.MatchString(r.target):
		return fault("%q is not the name of a container: want image:tag=container", r.target)
	case !repositoryName.MatchString(r.repository):
		return fault("%q is not a repository of Docker Hub, such as acme/app", repository)
	case !ok || tag == "":
		return fault("names no tag: want image:tag=container")
	case strings.ContainsAny(tag, "^~<>=!|, "):
		var err error
		if r.versions, err = semver.NewConstraint(tag); err != nil {
			return fault("%q is not a range of versions: %w", tag, err)
		}
	case strings.ContainsAny(tag, "*?["):
		if _, err := path.Match(tag, ""); err != nil {
			return fault("%q is not a glob: %w", tag, err)
		}
		r.glob = tag
	case openVersion.MatchString(tag):
		fixed := strings.TrimRight(tag, ".xX")
		return fault("%q may be a range of versions, which is ~%s, or a tag that is called so: %s.[%s]", tag,
			strings.TrimPrefix(fixed, "v"), tag[:len(tag)-2], tag[len(tag)-1:])
	case !dockerhub.Tag(tag).Valid():
		return fault("%q is not a tag: letters, digits, '_', '.' and '-', 128 at most", tag)
	default:
		r.exact = dockerhub.Tag(tag)
	}
	return r, nil
}

// matches reports whether the rule takes a tag, which may be any text.
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

// older reports whether a must not take the place of b. An exact tag is never
// older: what it stands for is read from the registry.
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

// continues reports whether what a rule has wanted before, now perhaps another
// one, this one wants too.
func (r rule) continues(text string, tag dockerhub.Tag) bool {
	before, err := parseRule(text)
	return err == nil && r.matches(before.repository, tag)
}

// version returns nil for a tag that is no full version.
func version(tag dockerhub.Tag) *semver.Version {
	if !tag.IsVersion() {
		return nil
	}
	v, err := semver.NewVersion(string(tag))
	if err != nil {
		return nil // a number beyond 64 bits
	}
	return v
}

// rules are those of the flags, by target.
type rules map[string]rule

// add adds a rule. A target has one: two would fight over it.
func (rs rules) add(text string) error {
	r, err := parseRule(text)
	if err != nil {
		return err
	}
	if other, ok := rs[r.target]; ok {
		return fmt.Errorf("rule %q: %s has a rule already: %q", text, r.target, other.text)
	}
	rs[r.target] = r
	return nil
}

// addFile adds the rules of a file, one a line; # begins a comment line.
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

var errNoRules = errors.New(`nothing to watch: -watch acme/app:latest=web deploys each new acme/app:latest as the container web; -help tells of other rules`)

package rule

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/hookhouse/hookhouse/dockerhub"
)

// A Rule deploys some tags of a repository to one target. Its text is
// REPOSITORY:TAGS=KIND:NAME, such as "acme/app:^1.4=run:web.options". TAGS has one of these
// forms:
//
//	1.4.0, latest      this tag only, each time it is pushed
//	nightly-*          a glob with *, ? and [a-z]; the tag pushed last wins
//	^1.4, ~2.0, <3     a range of semver versions; the highest wins. Only full
//	                   versions X.Y.Z match, with or without a leading v, so
//	                   that 1, 1.4 and latest, which move with each release, do
//	                   not deploy it twice. Pre-releases match only if the range
//	                   contains one: ^1.4-0.
//
// [Parse] makes a Rule; the zero value matches nothing. A Rule is a value, which is safe for
// concurrent use.
type Rule struct {
	Text       string // as it was written
	Repository string // as Docker Hub names it: acme/app
	Kind       string // run, service or exec
	Name       string // of a run the path of a file of options, of a service its name, of an exec any name
	// Target identifies what is deployed: Kind, a colon and Name. Of a run, Name is
	// only a path, so the caller replaces it by the name of the container.
	Target string
	Exact  dockerhub.Tag // the only tag that matches; empty for a glob or a range

	glob     string
	versions *semver.Constraints
}

// A Release is a tag and the time when its push was received. It is stored as JSON with
// these names. Without a tag it is no release.
type Release struct {
	Tag      dockerhub.Tag
	Received time.Time
}

// An Error is a rule that cannot be used. Its text has the rule and the reason.
type Error struct {
	Rule string // as it was written
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("rule %q: %v", e.Rule, e.Err) }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

const form = "want REPOSITORY:TAGS=run:FILE, =service:NAME or =exec:NAME"

var (
	ruleText = regexp.MustCompile(`^(.*)=(run|service|exec):(.*)$`)
	// repositoryName matches a repository without a host: the host is Docker Hub's or
	// that of -registry.
	repositoryName = regexp.MustCompile(`^(?:[a-z0-9_-]+/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)
	// targetName matches the container names that Docker accepts. None looks like an
	// option.
	targetName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	// wildcardVersion matches 1.4.x, which is a range in npm but may also be the tag of
	// images of a branch 1.4.x.
	wildcardVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)?(\.[xX])+$`)
	// leadingZero matches 2026.02.0, which is no version of semver.
	leadingZero = regexp.MustCompile(`^v?([0-9]+\.)*0[0-9]+(\.[0-9]+)*`)
)

// Parse parses the text of a rule. The path of a file of options is relative to dir, which
// is the working directory if empty. Its error is an *[Error].
func Parse(text, dir string) (Rule, error) {
	errorf := func(format string, args ...any) (Rule, error) {
		return Rule{}, &Error{text, fmt.Errorf(format, args...)}
	}
	part := ruleText.FindStringSubmatch(strings.TrimSpace(text))
	if part == nil {
		return errorf("no target: %s; a container is now declared by a file of the options of docker run, and -print-options CONTAINER writes one to begin with", form)
	}
	r := Rule{Text: text, Kind: part[2], Name: part[3], Target: part[2] + ":" + part[3]}
	repository, tag, ok := strings.Cut(strings.TrimSpace(part[1]), ":")
	r.Repository = strings.TrimPrefix(repository, "docker.io/")
	switch {
	case r.Kind == "run" && r.Name == "":
		return errorf("no file of options: %s", form)
	case r.Kind != "run" && !targetName.MatchString(r.Name):
		return errorf("%q is not a name of letters, digits, '_', '.' and '-'", r.Name)
	case !repositoryName.MatchString(r.Repository):
		return errorf("%q is not a repository of Docker Hub, such as acme/app", repository)
	case !ok || tag == "":
		return errorf("no tag: %s", form)
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
		r.Exact = dockerhub.Tag(tag)
	}
	if r.Kind == "run" && !filepath.IsAbs(r.Name) {
		r.Name = filepath.Join(dir, r.Name)
	}
	return r, nil
}

// IsGlob reports whether TAGS is a glob.
func (r Rule) IsGlob() bool { return r.glob != "" }

// IsRange reports whether TAGS is a range of versions.
func (r Rule) IsRange() bool { return r.versions != nil }

// Matches reports whether the rule deploys a tag of a repository. The tag may be any text.
func (r Rule) Matches(repository string, tag dockerhub.Tag) bool {
	if repository != r.Repository || !tag.Valid() {
		return false
	}
	switch {
	case r.versions != nil:
		v := parseVersion(tag)
		return v != nil && r.versions.Check(v)
	case r.glob != "":
		ok, _ := path.Match(r.glob, string(tag))
		return ok
	default:
		return tag == r.Exact
	}
}

// Older reports whether a must not replace b: in a range its version is lower, and under a
// glob it was received before b. A release under an exact tag is never older, because its
// image is looked up in the registry.
func (r Rule) Older(a, b Release) bool {
	switch {
	case r.versions != nil:
		va, vb := parseVersion(a.Tag), parseVersion(b.Tag)
		return va != nil && vb != nil && va.LessThan(vb)
	case r.glob != "":
		return a.Received.Before(b.Received)
	default:
		return false
	}
}

// LeadingZero reports whether a tag, such as 2026.02.0, looks like a version but has a number
// with a leading zero. It is no version of semver, so no range matches it.
func LeadingZero(tag dockerhub.Tag) bool { return leadingZero.MatchString(string(tag)) }

// parseVersion parses a tag. It returns nil if the tag is not a full version.
func parseVersion(tag dockerhub.Tag) *semver.Version {
	if !tag.IsVersion() {
		return nil
	}
	v, err := semver.NewVersion(string(tag))
	if err != nil {
		return nil // a number has more than 64 bits
	}
	return v
}

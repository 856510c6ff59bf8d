package main

import (
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hookhouse/hookhouse/github"
)

// A rule configures the builds of one repository.
type rule struct {
	Name     string   // "owner/name", as GitHub writes it
	Remote   string   // http or https URL to fetch from
	Branches []string // globs; ** also matches slashes
	Tags     []string // globs
	Command  string   // a script for /bin/sh -e
	Timeout  time.Duration
	Context  string // name of the commit status; see contextOf
}

// rules holds the configured rules by the repository's name in lower case.
// GitHub's names are not case-sensitive.
type rules map[string]*rule

// lookup returns the rule for a repository, or nil if there is none. A name from a
// payload is used only for this lookup: builds, work areas and statuses use the
// name in the configuration.
func (r rules) lookup(repository string) *rule { return r[strings.ToLower(repository)] }

// maxTimeout returns the longest timeout of the rules.
func (r rules) maxTimeout() time.Duration {
	var longest time.Duration
	for _, one := range r {
		longest = max(longest, one.Timeout)
	}
	return longest
}

// matches reports whether the pushed ref is to be built.
func (r *rule) matches(p github.Push) bool {
	if branch, ok := p.Branch(); ok {
		return matchesAny(r.Branches, branch)
	}
	tag, ok := p.Tag()
	return ok && matchesAny(r.Tags, tag)
}

// contextOf returns the name of the commit status for a push. GitHub keeps one
// status per name and commit, and a branch and a tag may point to the same
// commit, so a tag has a name of its own.
func (r *rule) contextOf(p github.Push) string {
	if _, ok := p.Tag(); ok {
		return r.Context + "/tag"
	}
	return r.Context
}

func matchesAny(globs []string, name string) bool {
	for _, glob := range globs {
		if ok, err := doublestar.Match(glob, name); ok && err == nil {
			return true
		}
	}
	return false
}

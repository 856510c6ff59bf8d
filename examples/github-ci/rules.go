package main

import (
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hookhouse/hookhouse/github"
)

// A rule says what is done on a push to one repository.
type rule struct {
	Name     string   // "owner/name", as GitHub writes it
	Remote   string   // where it is fetched from: an http or https URL
	Branches []string // globs; ** goes over slashes
	Tags     []string // globs
	Command  string   // a script for /bin/sh -e
	Timeout  time.Duration
	Context  string // the name of the commit status; see contextOf
}

// rules are those of the configuration, by the repository's name in lower case:
// GitHub's names are the same in any case.
type rules map[string]*rule

// of returns the rule for a repository; nil where there is none. Of a payload's
// name nothing else is used: what is built, cleaned and reported has the name of
// the configuration.
func (r rules) of(repository string) *rule { return r[strings.ToLower(repository)] }

// longest returns the longest time limit.
func (r rules) longest() time.Duration {
	var most time.Duration
	for _, one := range r {
		most = max(most, one.Timeout)
	}
	return most
}

// wants reports whether pushes to the ref are built.
func (r *rule) wants(p github.Push) bool {
	if branch, ok := p.Branch(); ok {
		return matchesAny(r.Branches, branch)
	}
	tag, ok := p.Tag()
	return ok && matchesAny(r.Tags, tag)
}

// contextOf returns the name of a push's commit status. GitHub keeps one status
// of each name for a commit, which a branch and a tag may both be at.
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

package github

import "slices"

const (
	// The longest list of commits that a push carries: by GitHub's OpenAPI text,
	// and by the schemas of octokit/webhooks.
	maxCommits    = 2048
	maxCommitsOld = 20
	// maxFiles is the most paths that one commit carries.
	maxFiles = 3000
)

// CommitsComplete reports whether Commits tell all that the push brought. It
// is false where the list may have been cut, which only its length can tell,
// where a commit's paths may have been cut or were not sent, where the list is
// empty, as it is for a new tag and a deleted ref, and after a forced push,
// which drops commits that are in no list. Ask GitHub's compare API then.
func (p Push) CommitsComplete() bool {
	n := len(p.Commits)
	if p.Forced || n == 0 || n == maxCommitsOld || n >= maxCommits {
		return false
	}
	for i := range p.Commits {
		c := &p.Commits[i]
		if c.Added == nil || c.Removed == nil || c.Modified == nil {
			return false
		}
		if len(c.Added)+len(c.Removed)+len(c.Modified) >= maxFiles {
			return false
		}
	}
	return true
}

// ChangedFiles returns the paths that Commits name, each sorted and once: what
// the last commit that names a path did to it. It is the whole change only if
// CommitsComplete says so.
func (p Push) ChangedFiles() (added, modified, removed []string) {
	last := make(map[string]*[]string)
	for i := range p.Commits {
		c := &p.Commits[i]
		for _, path := range c.Added {
			last[path] = &added
		}
		for _, path := range c.Modified {
			last[path] = &modified
		}
		for _, path := range c.Removed {
			last[path] = &removed
		}
	}
	for path, list := range last {
		*list = append(*list, path)
	}
	slices.Sort(added)
	slices.Sort(modified)
	slices.Sort(removed)
	return added, modified, removed
}

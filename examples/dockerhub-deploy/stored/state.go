package stored

import (
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// A State is what is stored of a target, as JSON with these names. The zero value means that
// nothing is.
type State struct {
	Rule     string       // of the last release; one under another rule starts with an empty state
	Wanted   rule.Release // without a tag, nothing is wanted
	Deployed rule.Release
	Identity string          // of what is deployed: see target.Target
	Rejected target.Rejected // images that were started and are not healthy
	Previous target.Previous
	Denied   notice.Denial `json:",omitzero"`
}

// Want records that a release is wanted. It reports false and changes nothing if a
// newer one is wanted or deployed. If pushed, the identity of a pushed image, is a
// rejected one, that image is tried again. A push of another does not change what is
// rejected: a lookup would order the rejected image in its place.
func (s *State) Want(r rule.Rule, rel rule.Release, pushed string) bool {
	if s.Rule != r.Text {
		*s = State{Rule: r.Text, Previous: s.Previous}
	}
	if s.Wanted.Tag != "" && r.Older(rel, s.Wanted) || s.Deployed.Tag != "" && r.Older(rel, s.Deployed) {
		return false
	}
	s.Wanted = rel
	s.Rejected.Remove(pushed)
	return true
}

// Unwant records that rel is no longer wanted, unless a newer release became wanted
// meanwhile. An older one may then become wanted, but none that is older than the
// deployed one.
func (s *State) Unwant(rel rule.Release) {
	if s.Wanted.Received.Equal(rel.Received) {
		s.Wanted = rule.Release{}
	}
}

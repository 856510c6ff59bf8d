package target

import (
	"slices"
	"strings"
)

// maxRejected is how many images a Rejected keeps.
const maxRejected = 20

// A Rejected has the identities of the last 20 images that were rejected, the newest last,
// with a space between them. The empty one has none.
type Rejected string

// Has reports whether an identity is among them.
func (r Rejected) Has(identity string) bool {
	return slices.Contains(strings.Fields(string(r)), identity)
}

// Add adds an identity, and drops the oldest one if there are too many.
func (r *Rejected) Add(identity string) {
	r.Remove(identity)
	all := append(strings.Fields(string(*r)), identity)
	*r = Rejected(strings.Join(all[max(0, len(all)-maxRejected):], " "))
}

// Remove removes an identity, which need not be among them.
func (r *Rejected) Remove(identity string) {
	all := slices.DeleteFunc(strings.Fields(string(*r)), func(other string) bool { return other == identity })
	*r = Rejected(strings.Join(all, " "))
}

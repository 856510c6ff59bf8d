package storetest

import (
	"slices"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A law is one sentence of the contract, which is its name. The store in t is empty when
// check is called.
type law struct {
	name  string
	check func(t *trial)
}

// laws are the laws of every Store, in the order for reading.
var laws = slices.Concat(
	creating,
	refusing,
	updating,
	conflicts,
	renaming,
	deleting,
	listing,
	matching,
	recording,
	failing,
	again,
	attempts,
	sweeping,
	strange,
	contexts,
)

// Laws returns the names of the subtests of [Run]. Each is a sentence of the contract. The
// order is for reading.
func Laws() []string {
	names := make([]string, len(laws))
	for i, l := range laws {
		names[i] = l.name
	}
	return names
}

// Run tests the laws of a Store, each with a new store. For each law it calls open once,
// which must return an empty store and register its cleanup with t.
func Run(t *testing.T, open func(t *testing.T) publish.Store) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) { l.check(&trial{reporter: t, store: open(t)}) })
	}
}

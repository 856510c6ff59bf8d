package inboxtest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A law is one promise of Inbox. Its name is the promise as a sentence; check
// finds an empty inbox in t.
type law struct {
	name  string
	check func(t *trial)
}

// laws are all of them, in the order in which they are best read.
var laws = slices.Concat(
	storing,
	claiming,
	contexts,
	ownership,
	duplicates,
	revivals,
	outcomes,
	leases,
	suspects,
	order,
	coalescing,
	notifying,
	counting,
)

// Laws returns the laws as sentences, in the order in which they are best read.
// They are the names of the subtests of [Run], and then of [RunSweeper].
func Laws() []string {
	var names []string
	for _, l := range laws {
		names = append(names, l.name)
	}
	for _, l := range sweepLaws {
		names = append(names, l.name)
	}
	return names
}

// Run tests every law against an inbox of its own. Open returns an empty one;
// it is called once for each law and registers its clean-up with t.
func Run(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			l.check(&trial{reporter: t, in: open(t)})
		})
	}
}

// RunSynctest is [Run] with each law in a bubble of package testing/synctest,
// where waiting takes no time. The inbox must be free of network, files and
// clocks other than package time's; Open is called inside the bubble.
func RunSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l.check(&trial{reporter: t, in: open(t)})
			})
		})
	}
}

// RunSweeper tests the laws of a [webhook.Sweeper], each against an inbox of its
// own. Open returns an empty one that keeps what is finished for retention, and
// what is dead for deadRetention; negative is for ever.
func RunSweeper(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	for _, l := range sweepLaws {
		t.Run(l.name, func(t *testing.T) {
			l.check(&trial{reporter: t, in: open(t, l.retention, l.deadRetention)})
		})
	}
}

// RunSweeperSynctest is [RunSweeper] as [RunSynctest] is [Run].
func RunSweeperSynctest(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	for _, l := range sweepLaws {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l.check(&trial{reporter: t, in: open(t, l.retention, l.deadRetention)})
			})
		})
	}
}

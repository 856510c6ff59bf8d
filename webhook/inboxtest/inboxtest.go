package inboxtest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A law is one sentence of the contract of Inbox, which is its name. The inbox in
// t is empty when check is called.
type law struct {
	name  string
	check func(t *trial)
}

// laws are the laws of every Inbox, in the order for reading.
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

// Laws returns the names of the subtests of [Run], and then those of [RunSweeper].
// Each is a sentence of the contract. The order is for reading.
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

// Run tests the laws of an Inbox, each with a new inbox. For each law it calls open
// once, which must return an empty inbox and register its cleanup with t.
func Run(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			l.check(&trial{reporter: t, in: open(t)})
		})
	}
}

// RunSynctest is [Run] with each law in a bubble of package testing/synctest, in
// which waiting takes no real time. It calls open in the bubble. The inbox must not
// use the network, files or any clock except that of package time.
func RunSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l.check(&trial{reporter: t, in: open(t)})
			})
		})
	}
}

// RunSweeper tests the laws of a [webhook.Sweeper], each with a new inbox. For each
// law it calls open once, which must return an empty inbox that keeps dead
// deliveries for deadRetention and other finished ones for retention. A negative
// time means indefinitely.
func RunSweeper(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	for _, l := range sweepLaws {
		t.Run(l.name, func(t *testing.T) {
			l.check(&trial{reporter: t, in: open(t, l.retention, l.deadRetention)})
		})
	}
}

// RunSweeperSynctest is [RunSweeper] with each law in a bubble, as in [RunSynctest].
func RunSweeperSynctest(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	for _, l := range sweepLaws {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l.check(&trial{reporter: t, in: open(t, l.retention, l.deadRetention)})
			})
		})
	}
}

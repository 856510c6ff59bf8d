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

// adminLaws are those of a [webhook.Admin].
var adminLaws = slices.Concat(
	listing,
	filtering,
	records,
	replaying,
	releasing,
	stats,
)

// Laws returns the laws as sentences, in the order in which they are best read.
// They are the names of the subtests of [Run], and then of [RunSweeper],
// [RunAdmin] and [RunAttempts].
func Laws() []string {
	var names []string
	for _, l := range allLaws() {
		names = append(names, l.name)
	}
	return names
}

func allLaws() []sweepLaw {
	return slices.Concat(inAnyTime(laws), sweepLaws, inAnyTime(adminLaws), attemptLaws)
}

// inAnyTime returns laws that hold however long the inbox keeps what is finished.
func inAnyTime(laws []law) []sweepLaw {
	list := make([]sweepLaw, len(laws))
	for i, l := range laws {
		list[i].law = l
	}
	return list
}

// Run tests every law against an inbox of its own. Open returns an empty one;
// it is called once for each law and registers its clean-up with t.
func Run(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(laws), inRealTime, always(open))
}

// RunSynctest is [Run] with each law in a bubble of package testing/synctest,
// where waiting takes no time. The inbox must be free of network, files and
// clocks other than package time's; Open is called inside the bubble.
func RunSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(laws), inFakeTime, always(open))
}

// RunSweeper tests the laws of a [webhook.Sweeper], each against an inbox of its
// own. Open returns an empty one that keeps what is finished for retention, and
// what is dead for deadRetention. If one of them is negative, that is kept
// indefinitely.
func RunSweeper(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, sweepLaws, inRealTime, open)
}

// RunSweeperSynctest is [RunSweeper] as [RunSynctest] is [Run].
func RunSweeperSynctest(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, sweepLaws, inFakeTime, open)
}

// RunAdmin tests the laws of a [webhook.Admin], except those of [RunAttempts], each
// against an inbox of its own. Open is that of [Run].
func RunAdmin(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(adminLaws), inRealTime, always(open))
}

// RunAdminSynctest is [RunAdmin] as [RunSynctest] is [Run]. Laws about what takes
// a minute are tested only here.
func RunAdminSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(adminLaws), inFakeTime, always(open))
}

// RunAttempts tests the laws of [webhook.Attempt] against a [webhook.Admin] that is
// a [webhook.Sweeper]. Open is that of [RunSweeper]; zero means a long time.
func RunAttempts(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, attemptLaws, inRealTime, open)
}

// RunAttemptsSynctest is [RunAttempts] as [RunSynctest] is [Run].
func RunAttemptsSynctest(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, attemptLaws, inFakeTime, open)
}

// A clock runs a law in real time or in fake time.
type clock func(t *testing.T, f func(t *testing.T, fake bool))

func inRealTime(t *testing.T, f func(t *testing.T, fake bool)) { f(t, false) }

func inFakeTime(t *testing.T, f func(t *testing.T, fake bool)) {
	synctest.Test(t, func(t *testing.T) { f(t, true) })
}

func always(open func(t *testing.T) webhook.Inbox) func(*testing.T, time.Duration, time.Duration) webhook.Inbox {
	return func(t *testing.T, _, _ time.Duration) webhook.Inbox { return open(t) }
}

func run(t *testing.T, laws []sweepLaw, in clock, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			in(t, func(t *testing.T, fake bool) {
				l.check(&trial{reporter: t, fake: fake, in: open(t, l.retention, l.deadRetention)})
			})
		})
	}
}

package inboxtest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A law is one sentence of a contract, which is its name. The inbox in t is empty
// when check is called.
type law struct {
	name  string
	check func(t *trial)
}

// queueLaws are the laws of every Queue with what puts deliveries into it, in the order
// for reading.
var queueLaws = slices.Concat(
	storing,
	claiming,
	contexts,
	ownership,
	outcomes,
	leases,
	suspects,
	order,
	postponing,
	coalescing,
	burstTypes,
	notBefore,
	notifying,
	nextDue,
	counting,
)

// laws are the laws of every Inbox, in the order for reading.
var laws = slices.Concat(
	queueLaws,
	duplicates,
	states,
	revivals,
	cursors,
	knowing,
)

// adminLaws are the laws of a [webhook.Admin], in the order for reading.
var adminLaws = slices.Concat(
	listing,
	filtering,
	records,
	replaying,
	replayedTypes,
	precedence,
	releasing,
	releasingKeys,
	adminNotBefore,
	pausing,
	nextDueOfAdmin,
	burying,
	givingUp,
	discarding,
	stats,
	overviews,
)

// Laws returns the names of the subtests of [Run], of which the first are those of
// [RunQueue], and then the names of those of [RunSweeper], [RunAdmin] and [RunAttempts].
// Each is a sentence of a contract. The order is for reading.
func Laws() []string { return namesOf(allLaws()) }

func namesOf(laws []sweepLaw) []string {
	var names []string
	for _, l := range laws {
		names = append(names, l.name)
	}
	return names
}

func allLaws() []sweepLaw {
	return slices.Concat(inAnyTime(laws), sweepLaws, knownDeleted, inAnyTime(adminLaws), attemptLaws)
}

// inAnyTime returns laws that hold for every retention.
func inAnyTime(laws []law) []sweepLaw {
	list := make([]sweepLaw, len(laws))
	for i, l := range laws {
		list[i].law = l
	}
	return list
}

// Run tests the laws of an Inbox, each with a new inbox. For each law it calls open
// once, which must return an empty inbox and register its cleanup with t.
func Run(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(laws), inRealTime, always(open))
}

// RunSynctest is [Run] with each law in a bubble of package testing/synctest, in
// which waiting takes no real time. It calls open in the bubble. The inbox must not
// use the network, files or any clock except that of package time.
func RunSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(laws), inFakeTime, always(open))
}

// RunSweeper tests the laws of a [webhook.Sweeper], each with a new inbox. For each
// law it calls open once, which must return an empty inbox that keeps dead
// deliveries for deadRetention and other finished ones for retention. A negative
// time means indefinitely.
func RunSweeper(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, slices.Concat(sweepLaws, knownDeleted), inRealTime, open)
}

// RunSweeperSynctest is [RunSweeper] with each law in a bubble, as in [RunSynctest].
func RunSweeperSynctest(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, slices.Concat(sweepLaws, knownDeleted), inFakeTime, open)
}

// RunAdmin tests the laws of a [webhook.Admin], except those of [RunAttempts], each
// with a new inbox. It calls open as [Run] does.
func RunAdmin(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(adminLaws), inRealTime, always(open))
}

// RunAdminSynctest is [RunAdmin] with each law in a bubble, as in [RunSynctest]. A law
// that needs a minute is tested only in a bubble.
func RunAdminSynctest(t *testing.T, open func(t *testing.T) webhook.Inbox) {
	run(t, inAnyTime(adminLaws), inFakeTime, always(open))
}

// RunAttempts tests the laws of [webhook.Attempt] with an inbox that is a
// [webhook.Admin] and a [webhook.Sweeper]. It calls open as [RunSweeper] does. Zero
// means the default of the inbox.
func RunAttempts(t *testing.T, open func(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox) {
	run(t, attemptLaws, inRealTime, open)
}

// RunAttemptsSynctest is [RunAttempts] with each law in a bubble, as in [RunSynctest].
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

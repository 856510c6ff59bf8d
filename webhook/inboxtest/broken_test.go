package inboxtest

import (
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A brokenLaw is a law and a change of an inbox that breaks this law only.
type brokenLaw struct {
	law    string
	breaks func(f *fault)
}

var adminFaults = slices.Concat(
	listingFaults, filterFaults, recordFaults, replayFaults, replayedTypeFaults, precedenceFaults, releaseFaults, releaseKeyFaults, adminNotBeforeFaults,
	pauseFaults, nextDueOfAdminFaults, buryFaults, giveUpFaults, discardFaults, statsFaults, overviewFaults, attemptFaults,
)

var inboxFaults = slices.Concat(
	storingFaults, claimingFaults, duplicateFaults, settlingFaults, burstTypeFaults, notBeforeFaults, postponeFaults, nextDueFaults, suspectFaults, cursorFaults, knowFaults,
)

func TestABrokenInboxFailsTheLawItBreaks(t *testing.T) {
	failsTheLawItBreaks(t, slices.Concat(inboxFaults, sweepFaults, knownDeletedFaults), slices.Concat(inAnyTime(laws), sweepLaws, knownDeleted))
}

// The laws of an Admin build on those of an Inbox, but not the other way round.
func TestABrokenAdminFailsTheLawItBreaks(t *testing.T) {
	failsTheLawItBreaks(t, adminFaults, allLaws())
}

func failsTheLawItBreaks(t *testing.T, faults []brokenLaw, laws []sweepLaw) {
	for _, test := range faults {
		failsTheLaw(t, test, laws, func(f *fault) webhook.Inbox { return f })
	}
}

// failsTheLaw tests that an inbox with the fault, as the func returns it, fails the law and
// no other.
func failsTheLaw(t *testing.T, test brokenLaw, laws []sweepLaw, as func(f *fault) webhook.Inbox) {
	t.Run(test.law, func(t *testing.T) {
		found := broken(t, laws, func(retention, deadRetention time.Duration) webhook.Inbox {
			f := faulty(retention, deadRetention)
			test.breaks(f)
			return as(f)
		})
		if _, ok := found[test.law]; !ok {
			t.Errorf("the law does not fail")
		}
		delete(found, test.law)
		for name, failures := range found {
			t.Errorf("another law, %q, fails too: %s", name, failures)
		}
	})
}

func TestAnInboxWithoutFaultKeepsTheLaws(t *testing.T) {
	found := broken(t, allLaws(), func(retention, deadRetention time.Duration) webhook.Inbox { return faulty(retention, deadRetention) })
	for name, failures := range found {
		t.Errorf("%s: %s", name, failures)
	}
}

func TestEveryLawOfTheseSubjectsIsBrokenByAnInbox(t *testing.T) {
	faults := slices.Concat(burstTypeFaults, notBeforeFaults, postponeFaults, nextDueFaults, cursorFaults, knowFaults, knownDeletedFaults)
	for _, l := range slices.Concat(inAnyTime(slices.Concat(burstTypes, notBefore, postponing, nextDue, cursors, knowing)), knownDeleted) {
		if !slices.ContainsFunc(faults, func(b brokenLaw) bool { return b.law == l.name }) {
			t.Errorf("no inbox breaks the law that %s", l.name)
		}
	}
}

// A law that nothing breaks may be one that nothing can break.
func TestEveryLawOfAnAdminIsBrokenByAnInbox(t *testing.T) {
	for _, l := range slices.Concat(inAnyTime(adminLaws), attemptLaws) {
		if !slices.ContainsFunc(adminFaults, func(b brokenLaw) bool { return b.law == l.name }) {
			t.Errorf("no inbox breaks the law that %s", l.name)
		}
	}
}

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

func TestABrokenInboxFailsTheLawItBreaks(t *testing.T) {
	for _, test := range slices.Concat(storingFaults, claimingFaults, duplicateFaults, settlingFaults, suspectFaults, sweepFaults) {
		t.Run(test.law, func(t *testing.T) {
			found := broken(t, func(retention, deadRetention time.Duration) webhook.Inbox {
				f := faulty(retention, deadRetention)
				test.breaks(f)
				return f
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
}

func TestAnInboxWithoutFaultKeepsTheLaws(t *testing.T) {
	found := broken(t, func(retention, deadRetention time.Duration) webhook.Inbox { return faulty(retention, deadRetention) })
	for name, failures := range found {
		t.Errorf("%s: %s", name, failures)
	}
}

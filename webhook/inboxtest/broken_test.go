package inboxtest

import (
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A brokenLaw is an inbox that breaks one law: breaks says how.
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
				t.Errorf("the law does not notice")
			}
			delete(found, test.law)
			for name, complaints := range found {
				t.Errorf("another law, %q, complains too: %s", name, complaints)
			}
		})
	}
}

func TestAnInboxWithoutFaultKeepsTheLaws(t *testing.T) {
	found := broken(t, func(retention, deadRetention time.Duration) webhook.Inbox { return faulty(retention, deadRetention) })
	for name, complaints := range found {
		t.Errorf("%s: %s", name, complaints)
	}
}

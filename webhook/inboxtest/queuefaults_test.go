package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// brokerQueue returns f as a queue that gets its deliveries from a broker: it refuses Types,
// and what puts deliveries into it knows no duplicate.
func brokerQueue(f *fault) webhook.Inbox {
	claim := f.claim
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		if o.Types != nil {
			return nil, errTypes
		}
		return claim(ctx, o)
	}
	return asQueue(f)
}

// asQueue returns f as a queue. What puts deliveries into it knows no duplicate.
func asQueue(f *fault) webhook.Inbox {
	put := func(ctx context.Context, d *webhook.Delivery) error {
		if err := f.Put(ctx, d); !webhook.IsDuplicate(err) {
			return err
		}
		return nil
	}
	return &queueInbox{webhook.HandlerFunc(put), f}
}

var errTypes = fmt.Errorf("a queue has all types: %w", errors.ErrUnsupported)

// queueFaults break the law that only a queue can break.
var queueFaults = []brokenLaw{
	{"Types that are not nil are refused always or never, and then nothing is claimed", func(f *fault) { // no types are no reason
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.Types != nil && len(o.Types) == 0 {
				return nil, errTypes
			}
			return claim(ctx, o)
		}
	}},
	{"Types that are not nil are refused always or never, and then nothing is claimed", func(f *fault) { // claims before it looks
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Types) > 1 && o.Types[0] == "alpha.none" {
				_, _ = claim(ctx, o)
			}
			if o.Types != nil {
				return nil, errTypes
			}
			return claim(ctx, o)
		}
	}},
	{"Types that are not nil are refused always or never, and then nothing is claimed", func(f *fault) { // does not look at them after the first call
		claim, calls := f.claim, 0
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.Types != nil {
				if calls++; calls == 1 {
					return nil, errTypes
				}
				if len(o.Types) == 0 {
					return nil, ctx.Err()
				}
			}
			return claim(ctx, o)
		}
	}},
}

// lawsOfQueue returns those faults that break a law of a Queue.
func lawsOfQueue(faults []brokenLaw) []brokenLaw {
	return slices.DeleteFunc(slices.Clone(faults), func(b brokenLaw) bool { return !slices.Contains(QueueLaws(), b.law) })
}

func TestABrokenQueueFailsTheLawItBreaks(t *testing.T) {
	for _, test := range slices.Concat(lawsOfQueue(inboxFaults), queueFaults) {
		failsTheLaw(t, test, inAnyTime(queueLaws), asQueue)
	}
}

// The laws about Types are kept by refusing them.
func TestABrokenQueueThatRefusesTypesFailsTheLawItBreaks(t *testing.T) {
	ofTypes := []string{
		"only deliveries of the given Types are claimed",
		"if Types is empty and not nil, nothing is claimed",
		"NextDue looks at the types that are asked for",
	}
	for _, test := range lawsOfQueue(inboxFaults) {
		if !slices.Contains(ofTypes, test.law) {
			failsTheLaw(t, test, inAnyTime(queueLaws), brokerQueue)
		}
	}
}

func TestAQueueWithoutFaultKeepsTheLaws(t *testing.T) {
	for name, queue := range map[string]func(*fault) webhook.Inbox{"with types": asQueue, "without types": brokerQueue} {
		found := broken(t, inAnyTime(queueLaws), func(retention, deadRetention time.Duration) webhook.Inbox {
			return queue(faulty(retention, deadRetention))
		})
		for law, failures := range found {
			t.Errorf("%s: %s: %s", name, law, failures)
		}
	}
}

// Types may be refused with one error only, and not by an Inbox.
func TestARefusalOfTypesThatIsNotAllowedFailsTheLawsAboutTypes(t *testing.T) {
	const law = "only deliveries of the given Types are claimed"
	inbox := func(f *fault) webhook.Inbox { brokerQueue(f); return f }
	otherError := func(f *fault) webhook.Inbox {
		claim := f.claim
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.Types != nil {
				return nil, errors.New("no types")
			}
			return claim(ctx, o)
		}
		return asQueue(f)
	}
	for name, open := range map[string]func(*fault) webhook.Inbox{"an inbox": inbox, "another error": otherError} {
		found := broken(t, inAnyTime(queueLaws), func(retention, deadRetention time.Duration) webhook.Inbox {
			return open(faulty(retention, deadRetention))
		})
		if _, ok := found[law]; !ok {
			t.Errorf("%s: the law does not fail", name)
		}
	}
}

func TestTheLawsOfAQueueAreTheFirstOfAnInbox(t *testing.T) {
	queue, all := QueueLaws(), Laws()
	if len(queue) < 70 || len(queue) >= len(all) || !slices.Equal(queue, all[:len(queue)]) {
		t.Errorf("%d laws of a queue are not the first of %d", len(queue), len(all))
	}
}

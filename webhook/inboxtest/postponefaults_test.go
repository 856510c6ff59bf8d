package inboxtest

import "github.com/hookhouse/hookhouse/webhook"

// postponeFaults break the laws of a claim that is put back uncounted with a delay.
var postponeFaults = []brokenLaw{
	{"a postponed delivery is not claimed before its delay is over", func(f *fault) { // it is due at once
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			if o.Uncounted && c.Delivery.OrderingKey == "" && o.Delay == long {
				o.Delay = 0
			}
		})
	}},
	{"a postponed delivery is claimed after its delay, as the same attempt", func(f *fault) { // it is counted
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.Uncounted = o.Uncounted && o.Delay != short })
	}},
	{"a postponed delivery blocks its ordering key", func(f *fault) { // it does not
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) {
			o.RetryOutOfOrder = o.RetryOutOfOrder || o.Uncounted && o.Delay > 0
		})
	}},
	{"with RetryOutOfOrder the next delivery is claimed while a postponed one waits", func(f *fault) { // it waits
		f.changeOutcomes(func(_ *webhook.Claim, o *webhook.Outcome) { o.RetryOutOfOrder = o.RetryOutOfOrder && !o.Uncounted })
	}},
}

// Package inboxtest tests whether a [webhook.Inbox] keeps its contract. A type that
// implements Inbox must pass the tests:
//
//	func TestInbox(t *testing.T) {
//		inboxtest.Run(t, func(t *testing.T) webhook.Inbox {
//			return openEmpty(t)
//		})
//	}
//
// Each sentence of the contract is a law, and each law is a subtest with the
// sentence as its name: "TestInbox/the_oldest_delivery_is_claimed_first". Laws
// depend on each other as little as possible, so that one fault fails one law or
// a few.
//
// Laws about time use leases and quiet times of a fraction of a second. They wait
// up to 10 seconds for something that should happen, and never require that it
// happens quickly. [Run] uses real time, as a database needs, and takes a few
// seconds in total. [RunSynctest] uses fake time, for an Inbox that takes the time
// from package time only.
//
// The optional interfaces [webhook.Notifier], [webhook.NextDuer], [webhook.PendingCounter],
// [webhook.Cursors] and [webhook.Knower] have laws too. An Inbox that does not implement them
// passes these laws. The laws of [webhook.Sweeper] need an inbox with a given retention: see
// [RunSweeper].
//
// A [webhook.Queue] that is not an Inbox, such as one that gets its deliveries from a broker,
// has a part of the laws: see [RunQueue].
//
// An inbox that is a [webhook.Admin] has more laws, which build on those of an Inbox:
// see [RunAdmin], and [RunAttempts] for the failed attempts that it keeps.
package inboxtest

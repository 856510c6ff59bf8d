// Package inboxtest states what a [webhook.Inbox] promises as tests. Whoever
// writes an Inbox runs them, and what passes is one:
//
//	func TestInbox(t *testing.T) {
//		inboxtest.Run(t, func(t *testing.T) webhook.Inbox {
//			return openEmpty(t)
//		})
//	}
//
// Each law is a subtest, and the law is its name, so that a failure reads
// "TestInbox/the_oldest_comes_first". Laws do not build on each other more than
// they must: one fault fails one law, or few.
//
// Laws about time use leases and quiet windows of a fraction of a second, wait
// for what should come with patience, and never demand that something comes
// quickly. [Run] takes real time, a few seconds in all, which is what a
// database needs. [RunSynctest] is for an Inbox whose only clock is package
// time's.
//
// The optional interfaces [webhook.Notifier] and [webhook.PendingCounter] have
// laws of their own, which hold of an Inbox without them. Those of
// [webhook.Sweeper] need inboxes that keep what is finished for a time of the
// law's choice: see [RunSweeper].
//
// An inbox that is a [webhook.Admin] has more laws, which build on those of an Inbox:
// see [RunAdmin], and [RunAttempts] for the failed attempts that it keeps.
package inboxtest

// Package catchuptest has what the tests of the catch-ups of all senders share: the network
// between a sender and the receiver, inboxes that fail, random schedules and a log that can be
// read meanwhile. The tests run in bubbles of testing/synctest, in fake time.
package catchuptest

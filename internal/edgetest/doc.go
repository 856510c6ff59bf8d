// Package edgetest proves what the whole chain promises, while its parts fail:
//
//	Receiver ─ Spool ─► RabbitMQ ─► Relay ─► PostgreSQL ─► Worker
//	             │
//	           SQLite
//
// Its tests run the edges, relays and workers as processes of their own, against three RabbitMQ
// nodes with a quorum queue and a PostgreSQL server that they start for themselves. All
// processes and the tests write one journal, whose lines are in the order in which they
// happened, so that the account of a trial is exact.
//
// What the tests prove:
//
//   - While edges, relays, workers, broker nodes and the database are killed one after the
//     other, nothing acknowledged is lost. Nothing runs twice unless its worker or the
//     database was killed, or its lease ran out, and then only after the lease. Of
//     deliveries with one ordering key that were acknowledged one after the other by one edge,
//     none runs before the one before it. A relay that acknowledges before it stores fails this.
//   - While all nodes, or the database, are away, no sender sees an error. All deliveries are
//     handled afterwards, in order. Each relay tries one delivery at a time meanwhile.
//   - A relay that is killed again and again leaves the dead queue empty. If each of 1000
//     acknowledgements is lost after the commit, there is one row for each delivery.
//   - If the leader of the queue is frozen, Publisher.Handle ends with its context. What was
//     published again afterwards has one row.
//   - If all nodes lose power at once, nothing confirmed is lost. On a disk that ignores flushes
//     this fails.
//
// The tests in CI are short. Longer ones:
//
//	go test -v -run AnyPart -chaos 30m -timeout 1h
//	go test -v -run Outage -away 1m
//	go test -v -run KilledRelays -relaykills 50
//
// Where RabbitMQ or PostgreSQL is not installed the tests are left out and say so; with CI=true
// in the environment that is a failure. Where FUSE cannot mount, as in many containers, the test
// of power loss is left out and says so.
package edgetest

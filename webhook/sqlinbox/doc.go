// Package sqlinbox is a [webhook.Inbox] in a SQL database, by database/sql
// alone: the program brings the driver and the *sql.DB. What a Receiver has
// acknowledged through it survives kill -9, power loss and a bad deploy.
//
//	db, err := sql.Open("sqlite", "file:hookhouse.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
//	inbox := sqlinbox.New(db, sqlinbox.SQLite)
//	err = inbox.Migrate(ctx)
//	http.Handle("/hooks/github", webhook.NewReceiver(src, webhook.Store(inbox)))
//	err = webhook.NewWorker(inbox, &mux).Run(ctx)
//
// # What is guaranteed, and what it costs
//
//   - A nil from Put means committed and on the disk. The settings this rests on
//     are checked on the connection that writes: synchronous FULL or EXTRA on
//     SQLite, fsync on PostgreSQL, where synchronous_commit is also raised for
//     each batch. What would lose commits is refused with [ErrNotDurable]. Cost:
//     one flush for each transaction.
//   - Concurrent Puts share a transaction, in order of arrival, with no delay
//     added: a lone sender pays for one commit, sixty-four senders pay for few.
//     One that the database refuses does not fail the others. Cost: after such a
//     refusal the halves of the batch are tried, and theirs, until it is found.
//   - Only the head of a (Source, OrderingKey) can be claimed, and an index of the
//     database itself allows only one. Put and Settle decide who that is, so a
//     claim costs the same however many wait. Cost: on PostgreSQL those who
//     decide about one key wait for each other, and a Put tries again.
//   - A delivery with a known dedup key is stored no second time, for Window. Cost: a
//     row for each dedup key, kept for that long, also after the delivery is swept.
//   - A worker that lost its lease cannot settle: each claim has a Fence. On
//     PostgreSQL settlements that come together share a transaction too; one that
//     would wait for another transaction is left out of it and settled alone.
//   - A claim is bounded by bytes as well as by number. A delivery that was lost
//     twice with its worker comes back without its body, and its next run is noted
//     before it begins: Claim.Suspect. Cost: nothing, as long as claims are settled.
//   - Finished deliveries are kept for Retention, dead letters for DeadRetention,
//     90 days by default; a warning says how many dead ones go and of which types.
//   - A key whose unfinished deliveries nothing would bring forward, which only a
//     fault or hand-written SQL can leave behind, is found within two minutes by a
//     Worker's Sweep, and at once by Check, Migrate and Release. The log and
//     Observer.Repaired tell of it.
//   - Stored rows that cannot be read are dead, with the reason, and stop nobody.
//   - Bodies stand in a table of their own, so that claiming and settling
//     rewrite about two hundred bytes.
//
// A delivery may run twice: the process can die between the callback and the
// settlement. [Inbox.SettleTx] closes that gap for effects in the same database,
// and [Inbox.PutTx] stores a delivery together with rows of the program.
//
// # SQLite
//
// One connection is kept to write; the *sql.DB must allow at least two. All
// writes of the Inbox share its transactions. SQLite lets no writer queue: an
// Inbox and its InTx look every millisecond whether another process has left the
// file, for up to 5 s, so that several under full load get their turns. The
// program's own transactions wait as SQLite does, which looks every tenth of a
// second and may miss them: give those a long busy_timeout. Set journal_mode to
// WAL, so that readers and the writer do not wait for each other.
// The log is written back every 250 pages: larger steps make rare long pauses.
// It cannot be while a reader holds an old state, so end long reads: until then
// the file beside the database grows.
// Several processes may use the file, on one machine and not over a network
// file system. Call [Inbox.Close] before closing the database. Do not move or
// replace the file while a program has it open: from then on Put and Ping fail
// with [ErrNotDurable], since what is written to it would be gone with the
// process. Back it up with VACUUM INTO or the .backup command, not with cp.
//
// # PostgreSQL
//
// Any number of receivers and workers. Time is the server's. Tables are looked
// for along the search_path. A pool of ten connections is enough for most; give
// SetMaxIdleConns the same number as SetMaxOpenConns, since database/sql keeps
// two by default and opens every other one anew. A transaction that has settled
// a claim, or stored a delivery, holds its ordering key: Puts under it try
// again for two seconds and are then refused, those under other ordering keys
// go on. Where an ordering key has no unfinished delivery an advisory lock
// holds it, up to 256 of them in a transaction.
//
// The inbox names the isolation of its own transactions, whatever the server's
// default. A transaction of the program's own must be READ COMMITTED for PutTx
// and SettleTx; under another they fail with [ErrIsolation].
//
// A transaction that stays open for long, a dump or a forgotten session, keeps
// PostgreSQL from removing what was claimed since it began, and each claim reads
// past that: after 20 000 deliveries an empty claim took 11 ms instead of 3. It is
// over when that transaction is. Set idle_in_transaction_session_timeout, and take
// dumps of the inbox's tables apart or from a standby.
//
// # Clocks
//
// Retention goes by the server's clock on PostgreSQL and on SQLite by that of the
// process that writes. SQLite is told the time by that process, too. Should its clock have been
// ahead, what was stored then is due when the clock gets there again, and its
// ordering key with it, and so is the lease of a worker that died: Release
// makes them due now. No claim is held twice: fences do not come from a clock.
//
// # At three in the morning
//
// Everything is in tables with names that speak; read them with any client.
//
//   - Are calls refused? [Inbox.Ping] says why: it does what Put does. 503 with
//     a full disk or a dead server is right, senders that retry come back. Make
//     room or start the server; nothing else is to be done, nothing half written
//     is left.
//   - What is stuck? Look at [Inbox.Stats], or
//     SELECT type, state, count(*), min(due) FROM hookhouse_deliveries GROUP BY 1, 2.
//     Many waiting: no worker runs, or it is slow. Stats.Unhandled: no worker of the
//     process that asks routes the type. Many behind and one waiting or claimed:
//     the head of an ordering key is retried or slow; its reason says why. Many
//     behind and none waiting or claimed under the same ordering key: Release one
//     of them, and report it.
//   - A claimed one whose worker is gone is free when its lease ends, in 30
//     seconds by default. To wait no longer: [Inbox.Release].
//   - The head of an ordering key fails again and again: fix it, then Release; it
//     moves to dead by itself after Worker.MaxAttempts.
//   - Dead letters after a fix: [Inbox.Replay] with Filter{States: dead, Text:
//     part of the reason}. It records who and why. [Inbox.SkipStale] keeps old
//     ones from undoing newer ones.
//   - Deleting by hand: a row of hookhouse_deliveries and the row of
//     hookhouse_bodies with the same id, in one transaction, and only final
//     states. Deleting a dedup key lets the sender's copy run again. Do not set states
//     by hand; Release and Replay keep the order of the ordering key.
//   - Restoring a backup: what was acknowledged after it is not in it. Ask the
//     senders that can to redeliver; dedup keys refuse what is there.
//   - After a failed deploy: [ErrNewerSchema] stops the old program from using
//     tables it does not know. Deploy the new one again.
package sqlinbox

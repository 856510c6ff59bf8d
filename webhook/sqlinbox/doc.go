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
//   - If Put returns nil, the delivery is committed and on the disk. The settings that
//     this depends on are verified on the connection that writes: synchronous FULL or
//     EXTRA on SQLite, fsync on PostgreSQL, where each batch also raises
//     synchronous_commit. A setting that can lose a commit is refused with
//     [ErrNotDurable]. Cost: one flush for each transaction.
//   - Concurrent Puts share a transaction, in order of arrival and without an added
//     delay: a lone sender pays for one commit, sixty-four senders pay for few. A
//     delivery that the database refuses does not fail the others. Cost: after a
//     refusal the halves of the batch are tried, and their halves, until it is found.
//   - Only the head of a (Source, OrderingKey) can be claimed, and an index of the
//     database allows only one. Put and Settle decide which delivery that is, so the
//     cost of a claim does not grow with the number that wait. Cost: on PostgreSQL
//     transactions that decide about one key wait for each other, and a Put tries
//     again.
//   - A delivery with a known dedup key is not stored again during Window. Cost: a row
//     for each dedup key, kept for that long, even after the delivery is deleted.
//   - A worker that has lost its lease cannot settle: each claim has a Fence. On
//     PostgreSQL concurrent settlements share a transaction too. One that would wait
//     for another transaction is left out of it and settled alone.
//   - A claim is bounded by bytes as well as by number. A delivery that was lost twice
//     with its worker comes without its body, and its next run is recorded before it
//     begins; see webhook.Claim.Suspect. Cost: none, as long as claims are settled.
//   - Finished deliveries are kept for Retention, and dead letters for DeadRetention,
//     90 days by default. Before dead letters are deleted, a warning has their number
//     and types.
//   - An ordering key that is stuck, since none of its unfinished deliveries is its
//     head, is repaired: by a Worker's Sweep within two minutes, and at once by Check,
//     Migrate and Release. Only a fault or hand-written SQL can leave such a key. The
//     repair is logged, and [Observer.Repaired] is called.
//   - A stored row that cannot be read becomes dead, with the reason, and does not hold
//     up others.
//   - A run that failed, and one whose claim was lost, is kept with its delivery: when,
//     how long, what came of it and who claimed. [Inbox.Get] returns the newest twenty.
//     Cost: none for a run that succeeds.
//   - Bodies are in a table of their own, so that a claim or a settlement rewrites
//     about two hundred bytes.
//
// A delivery may run twice, because the process can die between the callback and the
// settlement. [Inbox.SettleTx] and [Inbox.InTx] close that gap for effects in the same
// database, and [Inbox.PutTx] stores a delivery together with rows of the program.
//
// # From Put to commit
//
//  1. Put (put.go) checks and encodes the delivery in the caller's goroutine. The
//     engine (engine.go, sqlite.go, postgres.go) adds it to a queue.
//  2. One goroutine (writer.go) commits up to 256 deliveries, or 4 MB, as a batch. In
//     the meantime the next one gathers. If a batch fails by its rows, it is halved.
//  3. SQLite (sqliteput.go): in a transaction on the connection that writes,
//     storeOptimistic inserts each delivery. If it cannot, store looks it up first.
//  4. PostgreSQL (postgresput.go): storeOptimistic inserts, by one statement, all that
//     is new and whose ordering key is free; storeChecked decides about the others.
//  5. Duplicates are found in dedupe.go, and what is sent again after it died is
//     requeued in requeue.go. A Put whose key is locked waits in lockedkeys.go.
//
// # SQLite
//
// The Inbox keeps one connection to write, so the *sql.DB must allow at least two. All
// writes of the Inbox share its transactions. Set journal_mode to WAL, so that readers
// and the writer do not wait for each other.
//
// SQLite does not queue writers. An Inbox, its InTx and its Write try every millisecond,
// for up to 5 s, while another process holds the file, so that several processes under
// full load get their turns. Other transactions of the program wait as SQLite does,
// which tries ten times a second and may not get a turn: use [Inbox.Write] for them, or
// give them a long busy_timeout.
//
// The log is written back every 250 pages, since larger steps make rare long pauses. A
// reader that holds an old state prevents that, and the log file beside the database
// grows until the reader ends: keep reads short.
//
// Several processes may use the file, on one machine and not over a network file
// system. Call [Inbox.Close] before closing the database. Do not move or replace the
// file while a program has it open: Put and Ping fail with [ErrNotDurable] from then
// on, because what is written would be gone with the process. Back it up with VACUUM
// INTO or the .backup command, not with cp.
//
// # PostgreSQL
//
// Any number of receivers and workers may use the database. Time is the server's. The
// tables are found along the search_path. A pool of ten connections is enough for most
// programs. Set SetMaxIdleConns to the same number as SetMaxOpenConns: database/sql
// keeps two by default and opens the others anew each time.
//
// A transaction that has settled a claim, or stored a delivery, holds its ordering key.
// Puts under that key try again for two seconds and then fail; those under other keys
// go on. If an ordering key has no unfinished delivery, an advisory lock holds it, up to
// 256 of them in a transaction.
//
// The Inbox sets the isolation of its own transactions, whatever the server's default
// is. A transaction of the program must be READ COMMITTED for PutTx and SettleTx, which
// otherwise fail with [ErrIsolation].
//
// A transaction that stays open for long, a dump or a forgotten session, keeps
// PostgreSQL from removing the old versions of rows, and each claim reads past them:
// after 20 000 deliveries an empty claim took 11 ms instead of 3. That ends with the
// transaction. Set idle_in_transaction_session_timeout, and dump the inbox's tables
// separately or from a standby.
//
// # Clocks
//
// Retention goes by the server's clock on PostgreSQL, and on SQLite by the clock of the
// process that writes, which also gives SQLite every other time. If that clock was
// ahead, a delivery that was stored then is due when the clock gets there again, and it
// blocks its ordering key until then; the lease of a worker that died lasts as long.
// Release makes such a delivery due now. No claim is held twice, because fences do not
// come from a clock.
//
// # At three in the morning
//
// Read the tables with any client.
//
//   - Calls are refused: [Inbox.Ping] says why, since it does what Put does. To answer
//     503 is right while a disk is full or a server is down, because senders that
//     retry come back. Make room or start the server. Nothing is left half written.
//   - Something is stuck: look at [Inbox.Stats], or
//     SELECT type, state, count(*), min(due_at) FROM hookhouse_deliveries GROUP BY 1, 2.
//     Many waiting: no worker runs, or it is slow. A type in Stats.Unhandled: no worker
//     of the process that asks handles it. Many blocked, and one of the same ordering
//     key waiting or claimed: that head is slow or being retried, and its reason says
//     why. Many blocked, and none waiting or claimed: Release one of them and report it.
//   - A worker is gone with its claim: the lease ends after 30 seconds by default. To
//     wait no longer, call [Inbox.Release].
//   - The head of an ordering key fails again and again: fix the cause and Release it.
//     After Worker.MaxAttempts it becomes dead by itself.
//   - Deliveries are dead and the cause is fixed: call [Inbox.Replay] with
//     webhook.Filter{States: dead, Text: part of the reason}. It records who and why.
//     [Inbox.SkipStale] keeps old deliveries from undoing newer ones.
//   - To delete by hand: delete a row of hookhouse_deliveries and the row of
//     hookhouse_bodies with the same id, in one transaction, and only in a final
//     state. If you delete a dedup key, the sender's copy runs again. Do not set a
//     state by hand; Release and Replay keep the order of an ordering key.
//   - A backup is restored: it lacks what was acknowledged after it. Ask the senders
//     that can to redeliver. Dedup keys refuse what the backup has.
//   - A deploy is undone: [ErrNewerSchema] stops the old program, because it does not
//     know the new tables. Deploy the new one again.
package sqlinbox

// Package sqlinbox is a [webhook.Inbox] in a SQL database, by database/sql
// alone: the program brings the driver and the *sql.DB. A delivery that a Receiver has
// acknowledged through it survives kill -9, power loss and a bad deploy.
//
//	db, err := sql.Open("sqlite", "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)")
//	inbox := sqlinbox.New(db, sqlinbox.SQLite)
//	err = inbox.Migrate(ctx)
//	http.Handle("/hooks/github", webhook.NewReceiver(src, webhook.Store(inbox)))
//	err = webhook.NewWorker(inbox, &mux).Run(ctx)
//
// # What is guaranteed, and what it costs
//
//   - If Put returns nil, the delivery is committed and on the disk. On SQLite the Inbox
//     sets synchronous to FULL on its connection, unless it is EXTRA. On PostgreSQL each
//     batch raises synchronous_commit. Settings that it cannot change, such as the
//     journal mode and fsync, are verified there. A setting that can lose a commit is
//     refused with [ErrNotDurable]. Cost: one flush for each transaction.
//   - Concurrent Puts share a transaction, in order of arrival and without an added
//     delay: a lone sender pays for one commit, sixty-four senders pay for few. A
//     delivery that the database refuses does not fail the others. Cost: after a refusal
//     the batch is halved, and its halves again, until that delivery is found.
//   - Only the head of a (Source, OrderingKey) can be claimed, and an index of the
//     database allows only one. Put and Settle decide which delivery that is, so the
//     cost of a claim does not grow with the number that wait. Cost: on PostgreSQL
//     transactions that decide about one key wait for each other, and a Put tries
//     again.
//   - A delivery with a known dedup key is not stored again during Window, 30 days by
//     default. If the known one is dead and its sender sends it again, that runs again, up
//     to three times; if it has been deleted since, the new one is stored. Cost: a row
//     of about forty bytes for each dedup key, kept for that long, even after the
//     delivery is deleted. The row has 16 bytes of the SHA-256 of the source and the key.
//   - A worker that has lost its claim cannot settle: each claim has a Fence. On
//     PostgreSQL concurrent settlements as done, without a reason, share a transaction
//     too. One that would have to wait for another transaction gets one of its own, as do
//     all others. On SQLite all settlements share the transactions of the writer.
//   - A claim is bounded by bytes as well as by number. A delivery whose last two claims
//     were lost is claimed without its body, and its next run is recorded before it
//     begins; see webhook.Claim.Suspect. Cost: none, as long as claims are settled.
//   - Finished deliveries are kept for Retention, 7 days by default, and dead letters for
//     DeadRetention, 90 days by default. Before dead letters are deleted, their number and
//     types are logged as a warning.
//   - An ordering key is stuck if it has unfinished deliveries and none of them is its
//     head. Only a fault or hand-written SQL can cause that. A Worker's Sweep, each
//     minute, looks for it among 20 000 keys with blocked deliveries, so with fewer it is
//     repaired within two minutes. Check and Migrate look among 100 000, and Release
//     repairs the key of its delivery. The
//     repair is logged, and [Observer.Repaired] is called.
//   - A stored row that cannot be read becomes dead, with the reason, and does not hold
//     up others.
//   - Failed runs, and runs whose claim was lost, are kept with their delivery: time,
//     duration, outcome, and who claimed. [Inbox.Get] returns the newest twenty. Cost:
//     none for a run that succeeds.
//   - Bodies are in a table of their own, so that a claim or a settlement rewrites
//     about two hundred bytes.
//
// A delivery may run twice, because the process can die between the callback and the
// settlement. [Inbox.SettleTx] and [Inbox.InTx] close that gap for effects in the same
// database, and [Inbox.PutTx] stores a delivery together with rows of the program.
//
// # From Put to commit
//
//  1. Put (put.go, entry.go) checks and encodes the delivery in the caller's goroutine.
//     The engine (sqliteput.go, postgresput.go) gives it to the writer as a job.
//  2. The writer (writer.go, jobqueue.go) is one goroutine. It commits up to 256 jobs, or
//     4 MB, as a batch; meanwhile the next jobs gather. If one of them may have failed the
//     batch, the writer tries its halves.
//  3. SQLite (sqlite.go): a batch is one transaction on the connection that writes.
//     storeOptimistic inserts a delivery; if it cannot, storeTx looks it up first.
//  4. PostgreSQL (postgresput.go): storeOptimistic, one statement, inserts what is new and
//     whose ordering key is free. storeChecked decides about the others. If an ordering
//     key is locked, Put tries again (postgreslockedkeys.go).
//  5. Both find duplicates in dedupe.go and run a dead delivery again in requeue.go.
//
// The database tests are in the module internal/dbtest.
//
// # Words
//
//   - The head of an ordering key is its delivery that is waiting or claimed. The others
//     that are unfinished are blocked.
//   - A fence is the number of a claim. Each claim of a delivery has a higher one.
//   - A burst is deliveries of one ordering key and type that coalesce: a newer one
//     supersedes those that are not claimed.
//   - A suspect is a delivery whose last two claims, at least, were lost.
//   - An envelope is the header and the dedup keys of a delivery, as JSON, with its NotBefore
//     in microseconds, its Malformed and its Unsigned if they are set.
//
// # Tables
//
// These are the tables of the current version; schema has a file for each step to it.
// Times are in microseconds since 1970.
//
//   - hookhouse_deliveries has a row for each delivery. What it is: id (the order; a new one
//     for each later run), first_id (that of the first run, if this is a later one), uid,
//     source, sender_id, type, ordering_key, key_label, received_at, size (of the body).
//     Its state: state, reason, attempt, due_at, finished_at, retry_out_of_order, revivals,
//     replayed (1: this run is a replay).
//     Its claim: fence, lease_expires_at, claimed_by, claimed_at, settled_fence (of the last
//     claim that was settled), lost_claims, crashes, begun_fence (of the last suspect
//     claim whose run began). Its burst: coalesce_quiet_us, coalesce_max_us,
//     burst_started_at.
//   - hookhouse_bodies has the envelope and the body, by the id of the delivery.
//   - hookhouse_dedup_keys has the hash of each dedup key, seen_at, and the delivery_id of
//     the first run. If the delivery is deleted, it has its uid, state and sender_id.
//   - hookhouse_attempts has the runs that failed or were lost: uid, fence, number,
//     started_at, took_us, state, lost, reason, claimed_by.
//   - hookhouse_replays has what Replay ran again: uid, replayed_at, who, why,
//     previous_state.
//   - hookhouse_pauses has the types that are paused: type (empty: all), paused_at, who, why.
//   - hookhouse_cursors has how far each catch-up has come: name, value, set_at.
//   - hookhouse_schema has the version, and the time of the last Ping, pinged.
//
// # SQLite
//
// The Inbox keeps one connection to write, so the *sql.DB must allow at least two. The
// Puts, claims, settlements and other changes of the Inbox share its transactions. PutTx
// and SettleTx use the caller's, and InTx, Write and Migrate have connections of their
// own. In journal_mode WAL, readers and the writer do not wait for each other.
// [Inbox.Migrate] sets it in a new file.
//
// The Inbox sets up its own connection, so a plain "file:hookhouse.db" is enough for
// Put. Readers and the program's own transactions use other connections, which get
// their settings from the DSN:
//
//   - modernc.org/sqlite and github.com/ncruces/go-sqlite3:
//     "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)"
//   - github.com/mattn/go-sqlite3:
//     "file:hookhouse.db?_txlock=immediate&_busy_timeout=5000&_synchronous=FULL"
//
// Without synchronous FULL, PutTx, SettleTx, InTx and Write may return [ErrNotDurable]:
// some drivers have another default in WAL. For a database that exists in journal_mode
// DELETE, add journal_mode(WAL) as another _pragma, or _journal_mode=WAL.
//
// SQLite does not queue writers. An Inbox, its InTx and its Write try every millisecond,
// for up to 5 s, while another process holds the file, so that several processes under
// full load get their turns. Other transactions of the program wait as SQLite does,
// which tries ten times a second and may not get a turn: use [Inbox.Write] for them, or
// give them a long busy_timeout.
//
// The log is written back every 1000 pages, or 4 MB, since larger steps make rare long
// pauses. A reader that holds an old state prevents that, and the log file beside the
// database grows until the reader ends: keep reads short.
//
// Several processes may use the file, on one machine and not over a network file
// system. Call [Inbox.Close] before closing the database. Do not move or replace the
// file while a program has it open: Put and Ping fail with [ErrNotDurable] from then
// on, because the data would be lost when the process ends.
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
// go on. If an ordering key has no head, an advisory lock holds it. One transaction takes
// up to 256 of these by PutTx and SettleTx. Beyond that, keys without a head are not
// locked: only an index keeps another transaction from making a head too, and the one
// that comes second waits for the first, or fails and can be tried again.
//
// The Inbox sets the isolation of its own transactions, whatever the server's default
// is. A transaction of the program must be READ COMMITTED for PutTx and SettleTx, which
// otherwise fail with [ErrIsolation].
//
// A transaction that stays open for long, a dump or a forgotten session, keeps
// PostgreSQL from removing the old versions of rows, and each claim reads past them:
// after 20 000 deliveries an empty claim took 12 ms instead of 0.5, as measured by
// "go run -C internal/bench . snapshot". That ends with the transaction. Set
// idle_in_transaction_session_timeout, and dump the inbox's tables separately or from a
// standby.
//
// # Several machines
//
// Receivers and workers are processes of their own, as many as needed, on one PostgreSQL
// database. What a lone server keeps, it keeps on one machine. For two, use a synchronous
// standby: set synchronous_standby_names on the primary server, synchronous_commit to on or
// remote_apply, and Inbox.RequireStandby. Then Check, Ping and each Put return [ErrNotDurable]
// if the server commits on one machine only, and an acknowledged delivery is flushed on two.
// A DSN with both hosts and target_session_attrs=read-write finds the server that takes
// writes, also after a promotion. Between the loss of the primary and the promotion senders
// are refused with 503, and send again.
//
//   - Promote only a standby that has all: one that was synchronous when the primary was lost.
//     With ANY 1 (a, b), that is the one of them with the highest pg_last_wal_receive_lsn().
//   - A server that is promoted needs a standby of its own, or its commits wait. Until
//     there is one, Puts fail after 15 s and senders are refused. Let two standbys be
//     candidates, so that the loss of one machine stops nothing.
//   - With an asynchronous standby, or synchronous_commit local, remote_write or off, a
//     failover loses the last acknowledged deliveries, and settlements: what was handled
//     then runs again. remote_write survives a crash of the standby's PostgreSQL, but not
//     of its machine.
//   - A cancelled wait. A commit is made on the primary first, and then waits for the standby.
//     If that wait is cancelled, the rows are visible and PostgreSQL reports success, though
//     the standby may lack them. The end of a context, and a lost connection, cancel it too,
//     but then Put and Write fail and nothing is acknowledged. After the Commit of a
//     transaction of your own, take a context that has ended for a failure. With RequireStandby
//     the sender's next copy, a duplicate, is acknowledged only after a commit that the
//     standby has. Two acts of an administrator acknowledge what one machine has:
//     pg_cancel_backend on a session that waits (wait_event SyncRep), and emptying
//     synchronous_standby_names while sessions wait. Do neither. Some cluster managers do
//     the second when no standby is left, unless they have a strict mode that is on.
//   - A delivery that is visible and not replicated may run before a failover. The promoted
//     server does not have it, and its sender, who was not answered, sends it again: it runs
//     a second time.
//   - Logical replication is no failover: it does not copy the sequence hookhouse_ids, so that
//     ids are given twice or out of order. Before a server that was filled that way takes writes,
//     set the sequence beyond the highest id.
//
// A Worker sees what its own process stores at once, and what others store when it polls,
// after at most PollInterval. To be quicker, bring a signal by Inbox.Wake, such as LISTEN and
// NOTIFY: internal/dbtest/wake_example_test.go has the code. Send NOTIFY in a statement of its
// own and not in a trigger: the server commits transactions that notify one after the other.
//
// A pooler such as pgbouncer may be in transaction mode: the Inbox keeps nothing in a session.
// The driver must not prepare statements: with pgx, add default_query_exec_mode=exec to the
// DSN. Older poolers refuse search_path in a DSN; set it for the role. LISTEN needs a
// direct connection.
//
// The tables have fixed names, so that a schema holds one inbox. Further inboxes are in schemas
// of their own, which search_path selects: in the DSN, or by ALTER ROLE hooks_service SET
// search_path = hooks. The program needs no right to create tables. Let their
// owner call Migrate, or run [Schema] with a tool, and then grant to the role of the program:
//
//	GRANT USAGE ON SCHEMA hooks TO hooks_service;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON hooks.hookhouse_deliveries, hooks.hookhouse_bodies TO hooks_service;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON hooks.hookhouse_dedup_keys, hooks.hookhouse_cursors TO hooks_service;
//	GRANT SELECT, INSERT, DELETE ON hooks.hookhouse_attempts, hooks.hookhouse_replays, hooks.hookhouse_pauses TO hooks_service;
//	GRANT SELECT, UPDATE ON hooks.hookhouse_schema TO hooks_service;
//	GRANT USAGE ON SEQUENCE hooks.hookhouse_ids TO hooks_service;
//
// A program with that role may call Migrate, which changes nothing if the tables are current.
//
// A managed database may show fsync or full_page_writes as off, because it keeps commits
// outside the server, as Neon does (https://neon.com/docs/reference/compatibility). It is
// refused with ErrNotDurable unless Inbox.TrustDurability says whose word the program takes
// for it. That is logged once. Other settings, and synchronous_commit, are not affected.
//
// # Clocks
//
// On PostgreSQL, retention and due times go by the server's clock. On SQLite, all times
// come from the process that writes. A NotBefore comes from the program, and a delivery is
// early or late by as much as its clock differs. If its clock was ahead, a delivery that was stored
// then becomes due only when the clock reaches that time again. Until then it blocks its
// ordering key, and a lease that a dead worker got then lasts as long. Release makes such
// a delivery due now. No claim is held twice, because fences do not come from a clock.
//
// # Backup
//
// A program that runs backs up its SQLite file with one statement, on any connection and
// outside a transaction:
//
//	_, err := db.ExecContext(ctx, "VACUUM INTO ?", "/backup/hookhouse-monday.db")
//
// Know this about the copy:
//
//   - The copy has everything that was acknowledged before the statement began, as of one
//     moment. Puts and workers go on meanwhile. The log file beside the database grows
//     by what they write until the copy is made.
//   - The new file must not exist or must be empty. Give it a name that no restore uses
//     until the statement has returned: a copy that was interrupted is not a database.
//     Not every version of SQLite flushes it, so flush it, or copy it elsewhere, before
//     you rely on it.
//   - From a shell: sqlite3 hookhouse.db "VACUUM INTO 'copy.db'". The .backup command
//     of sqlite3 makes a correct copy too, but begins again whenever the program
//     writes, so under load it may not end. Never use cp, rsync or a snapshot of the file
//     alone: in journal_mode WAL the last commits are in the file hookhouse.db-wal.
//   - To restore, end the programs, move hookhouse.db, hookhouse.db-wal and
//     hookhouse.db-shm away, all three, and put the copy in their place. The copy has
//     journal_mode DELETE: run sqlite3 hookhouse.db "PRAGMA journal_mode = WAL" once, or
//     add journal_mode(WAL) to the DSN. Otherwise Check returns [ErrNotDurable].
//
// On PostgreSQL, pg_dump makes a copy as of one moment, and pg_restore restores it. Dump
// all tables of the inbox, and those that callbacks write in its transactions, in one run.
// What was acknowledged after it began is not in it. To lose nothing, use continuous archiving of the server's log
// with pg_basebackup, or a standby with synchronous_commit and synchronous_standby_names.
//
// A restored copy is the inbox of that moment:
//
//   - Deliveries that were acknowledged later are lost, and their dedup keys too. Ask
//     the senders that can to redeliver; see the packages of the senders. Those that the
//     copy has are duplicates then and do not run again.
//   - Deliveries that were handled later are unfinished again and run a second time. A
//     callback whose rows are in the same database, by [Inbox.InTx], runs a second time
//     against the rows of that moment too, so it stays correct. Effects elsewhere are
//     repeated: look at what is waiting before you start a worker.
//   - What was claimed is claimed until its lease ends, or [Inbox.Release] is called.
//
// # Size
//
// Sweep deletes, and the space is used again: the database does not shrink, and does not
// grow until it is full again. So shrink it only after an exceptional peak. On SQLite,
// PRAGMA freelist_count is the number of free pages.
//
//   - VACUUM writes the whole database anew. It needs free disk space of up to twice the
//     size of the file. While it runs nothing else can write: Puts wait for 5 s and are
//     then refused with 503, and leases may expire. Run it while no sender calls, or end
//     the programs first. In WAL the file shrinks with the next checkpoint; PRAGMA
//     wal_checkpoint(TRUNCATE) makes one and also empties the log file.
//   - PRAGMA incremental_vacuum(1000) frees up to 1000 pages at the end of the file,
//     in one short transaction. Repeat it with pauses. With the driver of mattn, use Query
//     and read the rows to their end, since its Exec frees one page. It needs PRAGMA
//     auto_vacuum = incremental. In a new file that is the first _pragma of the DSN,
//     auto_vacuum(incremental), and mattn's _auto_vacuum=incremental; an existing one
//     needs that pragma and a VACUUM on one connection, once. Cost: one more page in about
//     800, which each transaction that takes or frees a page writes too.
//   - auto_vacuum = full does the same in every commit. Do not use it: each Sweep then
//     rewrites pages that the next deliveries need again.
//   - On PostgreSQL, autovacuum makes the space free. VACUUM FULL shrinks the tables and
//     locks them: Puts, claims and settlements wait, and fail when their time is over.
//
// # At three in the morning
//
// Read the tables with any client, or with the program hookhouse in examples, which also
// replays, releases, buries, discards, pauses and follows deliveries.
//
//   - Calls are refused: [Inbox.Ping] mostly returns the reason, since it writes as Put does.
//     While a disk is full or a server is down, 503 is the right answer, because senders
//     that retry come back. Make room or start the server. Nothing is half written.
//   - Something is stuck: look at [Inbox.Stats], or
//     SELECT type, state, count(*), min(due_at) FROM hookhouse_deliveries GROUP BY 1, 2.
//     Many waiting: no worker runs, or it is slow. A type in Stats.Unhandled: no worker
//     of the process that called Stats handles it. Many blocked, and one of the same ordering
//     key waiting or claimed: that head is slow or being retried, and its reason says
//     why. Many blocked, and none waiting or claimed: Release one of them and report it.
//     Stats.Paused has the types that somebody has paused, who and why, and how many others
//     are blocked by them.
//   - The target of a type is down, or its callback does harm: call [Inbox.Pause] with the
//     type, and [Inbox.Resume] when it is over. Calls are still stored. All processes stop to
//     claim, also those that start meanwhile. Other types of the same ordering key wait too.
//   - A worker has died with a claim: its lease ends after 30 seconds by default. To
//     run the delivery sooner, call [Inbox.Release].
//   - What happened to a delivery: [Inbox.Get] returns its failed and lost attempts, or
//     SELECT * FROM hookhouse_attempts WHERE uid = '...' ORDER BY fence.
//   - The head of an ordering key fails again and again: fix the cause and Release it.
//     After Worker.MaxAttempts it becomes dead by itself. If it can never succeed, call
//     [Inbox.Bury]: it is dead at once, with who and why as its reason, and the next one
//     runs. Release a claimed one before.
//   - Deliveries are dead and the cause is fixed: call [Inbox.Replay] with
//     webhook.Filter{States: dead, Text: part of the reason}. It records who and why.
//     [Inbox.SkipStale] keeps old deliveries from undoing newer ones. Many do not delay live
//     ones, which are claimed first; to spare their target, use [Inbox.ReplayEvery]. Under a
//     live load that takes all the time of the workers they do not run. Release runs one now.
//   - Finished deliveries are to go before their time, such as dead ones that nobody needs, or
//     those of a person: call [Inbox.Discard] with a Filter. It logs who and why.
//   - To delete by hand what Discard does not match: delete a row of hookhouse_deliveries and the row of
//     hookhouse_bodies with the same id, in one transaction, and only in a final
//     state. In the same transaction set delivery_id to NULL in hookhouse_dedup_keys
//     where it is coalesce(first_id, id) of that row, since SQLite may use an id again.
//     If you delete a dedup key, the sender's copy runs again. Do not set a state by
//     hand; Release and Replay keep the order of an ordering key.
//   - A backup is restored: see Backup. Ask the senders that can to redeliver.
//   - A deploy is undone: [ErrNewerSchema] stops the old program, because it does not
//     know the new tables. Deploy the new one again.
package sqlinbox

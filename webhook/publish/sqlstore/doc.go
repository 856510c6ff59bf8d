// Package sqlstore is a [publish.Store] in the database of a [sqlinbox.Inbox], SQLite or
// PostgreSQL, by database/sql alone.
//
//	inbox := sqlinbox.New(db, sqlinbox.SQLite)
//	store := sqlstore.New(inbox)
//	store.SealKeys = []webhook.Key{{Label: "2026", Secret: key}} // of openssl rand -base64 32
//	err := errors.Join(inbox.Migrate(ctx), store.Migrate(ctx))
//	pub := publish.New(inbox, store)
//
// # What is guaranteed, and what it costs
//
//   - What Create, Update, Delete and Record have returned is committed and on the disk. All
//     writes are transactions of [sqlinbox.Inbox.Write], which refuses a database that can
//     lose a commit.
//   - Attempts that are recorded at the same time share a transaction, up to 256, in the
//     order of their arrival and without an added delay. So Record costs one commit for all
//     that wait, and not one for each.
//   - The row of an endpoint is written only when its failing begins or ends, and by Update.
//     It is read without a lock, so attempts of one endpoint do not wait for each other.
//   - Match looks up each pattern of the type in an index, so its cost does not grow with the
//     endpoints that do not match. Those that are disabled have no rows there.
//   - Two Updates at once lose nothing: each writes only if the endpoint is still the one
//     that change got, and otherwise calls change again. Nothing is locked meanwhile.
//   - Delete leaves the attempts. Sweep deletes them when their time has come, in transactions
//     of up to 1000. It reads past the last attempts of endpoints that had none since, which
//     are kept, so it takes longer where many endpoints are idle.
//
// # Secrets
//
// The secrets of an endpoint, and all else of it that may be one, are a URL with its path and
// query, the values of its Header, and its Meta. With [Store.SealKeys] they are sealed where
// they are stored: by AES-256-GCM, with a key that is derived from the Secret by HKDF-SHA256,
// a random nonce for each row, and bound to the ID of the endpoint. A copy of the database is
// then of no use without the key. Who can write to the database can still bring back an
// earlier row of an endpoint, or write one in clear text.
//
// Without SealKeys they are stored in CLEAR TEXT, in the column secrets, and Migrate logs a
// warning about it. Then a backup has them too, and so may the log of a PostgreSQL server that
// logs the arguments of its statements.
//
// In both cases these are readable: the ID, owner, name and description, the host of the URL,
// the patterns and the settings, and the attempts with the head of each answer.
//
// To rotate the key put the new one first and keep the old one behind it, restart all
// processes, call [Store.Reseal], and remove the old one; the comment of Reseal says what
// remains on the disk. Without the key of a row its endpoint cannot be read, and neither can a
// list with it: the error is [ErrSealed], and Migrate and Check return it at the start.
//
// # Tables
//
// They are beside those of the Inbox and have a version of their own. Times are in
// microseconds since 1970.
//
//   - hookhouse_endpoints has a row for each endpoint: seq, id, owner, name_key (the name in
//     lower case), state, lanes, failing_since, revision (one more with each change), doc (the
//     rest, as JSON), sealed_by (the label of the key; empty: clear text), secrets (JSON, or
//     that sealed).
//   - hookhouse_subscriptions has the patterns of endpoints that are not disabled: owner,
//     pattern, endpoint (its seq).
//   - hookhouse_endpoint_attempts has the attempts: seq, endpoint, event, uid, type, number,
//     began_at, took_us, result, status, reason, response, next_at.
//   - hookhouse_publish_schema has the version.
//
// Size: each attempt is a row with the head of the answer, up to 1 KiB, and three index
// entries, until Sweep deletes it. So a million deliveries a day are a million rows a day.
//
// # Transactions
//
// On PostgreSQL all transactions are READ COMMITTED, whatever the server's default is, and
// synchronous_commit is raised where it is off. One that fails by a conflict with another is
// tried again, up to ten times; reads outside of a transaction are too. Attempts that change
// the failing of no endpoint are stored by a statement outside of a transaction, which is right
// under any isolation, and by a transaction if that conflicts.
//
// On SQLite there is one writer at a time, and the Store takes turns with the Inbox. Do not
// call the methods that write inside a func of [sqlinbox.Inbox.Write] or InTx: on SQLite they
// wait for that func itself. Create, Update, Delete and Sweep fail at once if they get the
// context of Write; Record fails when its context ends, or after 30 seconds.
//
// Calls at the same time share statements: attempts that wait are stored together, and calls of
// Get, Update and Match read together. None of them gets what was read before the call. The
// values of their contexts, such as a trace, are not passed to the driver.
//
// A pool of ten connections is enough for most programs. Set SetMaxIdleConns to the same
// number as SetMaxOpenConns: database/sql keeps two by default and opens the others anew each
// time.
//
// # Clocks
//
// All times come from the program. The Store compares none of them with a clock.
package sqlstore

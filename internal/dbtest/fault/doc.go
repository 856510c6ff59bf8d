// Package fault breaks a database at a chosen moment. It is a driver of database/sql
// around another one, in which the n-th operation fails once, in one of several
// ways.
//
//	db, plan, err := fault.Open("pgx", dsn)
//	plan.Break(17, fault.LoseAnswer)
//
// Every statement, begin, commit and rollback is an operation. They count in the
// order in which they reach the driver, from the call of Break on. A prepared
// statement counts when it runs.
//
// The tests run a scenario that uses every method of an inbox again and again, with
// each of its operations broken. At the end they compare what senders and workers
// were answered with the tables. Senders send again, with the same dedup key, what is
// answered 503. Workers claim again what is not settled.
//
//	go test ./fault                                         each operation in one way, by turns
//	go test ./fault -run Whatever -every -timeout 30m       each operation in each way
//	go test ./fault -run Whatever.*/SQLite -at 17           one operation in each way
//
// Other tests use a full disk, a read-only database, a locked one, and a clock that
// jumps. There is no test of PostgreSQL on a full disk: that takes a file system of
// its own.
package fault

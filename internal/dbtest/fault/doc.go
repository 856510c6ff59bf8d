// Package fault breaks a database at a chosen moment: a driver of database/sql
// around another one, in which the n-th thing that is asked of the database
// goes wrong in one of several ways, once.
//
//	db, plan, err := fault.Open("pgx", dsn)
//	plan.Break(17, fault.LoseAnswer)
//
// Every statement, begin, commit and rollback counts, in the order in which
// they reach the driver, from the call of Break on. What is prepared counts when
// it is run.
//
// The tests run a day in the life of an inbox again and again, with each of its
// moments broken, and settle accounts at the end: what senders and workers were
// told against what is in the tables. They go by the rules: what is answered 503
// is sent again with the same dedup key, what is not settled is claimed again.
//
//	go test ./fault                                         each moment in one way, by turns
//	go test ./fault -run Whatever -every -timeout 30m       each moment in each way
//	go test ./fault -run Whatever.*/SQLite -at 17           one moment in each way
//
// Beside it stand a full disk, a read-only database, a locked one, and a clock
// that jumps. Of PostgreSQL a full disk is left out: to fill one takes a file
// system of its own.
package fault

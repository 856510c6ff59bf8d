// Package model runs webhook/sqlinbox through random schedules, and compares what is
// stored with what was answered.
//
// A schedule follows from its seed. Two to four clients, each with an inbox and
// connections of its own, put, claim, settle, replay, release, bury, discard and sweep
// deliveries of one or two keys, also in transactions of their own, and pause types. On PostgreSQL
// a driver pauses each of them before every statement, so that one statement runs
// at a time, in the order that a scheduler draws. A statement that waits for a lock
// is left waiting, and another runs. The default isolation is drawn as well. On
// SQLite, which has one writer, whole operations are interleaved. Most schedules
// begin with a scenario: operations that have failed together before.
//
// At the end
//
//   - each key with unfinished deliveries has exactly one that is waiting or
//     claimed, which is no retry that lets one of the others run first,
//   - what was acknowledged is stored, unless it was finished and deleted, and
//     nothing else is,
//   - a redelivery that was answered as a duplicate of a dead delivery revived it,
//   - a claim that nobody else took could be settled, only once, and the outcome stays,
//   - what is left can be claimed and settled to the last,
//   - no delivery ran before an earlier one of its key, before its NotBefore, or while
//     its type was paused.
//
// A schedule that fails is made smaller while it fails in the same way, and printed
// with all its statements. Mutants are inboxes of which a statement is replaced on
// its way to the database, by one with a fault. Each must be found.
//
// Some schedules run with the other tests. From internal/dbtest, the long run and
// one schedule alone are:
//
//	go test ./model -v -schedules 10000 -timeout 1h
//	go test ./model -v -run Statements -schedules 1 -seed 44 -show
//
// The databases are on /dev/shm if it exists.
package model

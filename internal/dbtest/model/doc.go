// Package model plays webhook/sqlinbox through drawn schedules, and judges what
// is stored by what was answered.
//
// A schedule follows from its seed. Two to four players, each with an inbox and
// connections of its own, put, claim, settle, replay, release and sweep
// deliveries of one or two keys, also in transactions of their own. On PostgreSQL
// a driver stops each of them before every statement, so that one statement runs
// at a time, in the order that a tactic draws: who waits for a lock is left
// waiting, and another goes on. The default isolation is drawn as well. On SQLite,
// which has one writer, whole operations are interleaved. What happens before
// and in which order is not all equally likely: part of the schedules have a
// theme, a meeting that has been trouble before, with the rest drawn around it.
//
// At the end
//
//   - each key with unfinished deliveries has exactly one that is waiting or
//     claimed,
//   - what was acknowledged is stored, but for what was swept when it was
//     finished, and nothing else is,
//   - a redelivery that was answered as a duplicate of a dead one made that one
//     live again,
//   - a claim that nobody else took could be settled, once, and the outcome stays,
//   - what is left can be claimed and settled to the last,
//   - of a key nothing ran before what had been acknowledged when it was put.
//
// A schedule that fails is made smaller while it fails in the same way, and
// printed with all its statements. The wrongs are inboxes whose statements are
// replaced on their way to the database, by what was a fault once. They must be
// found.
//
// Some schedules run with the other tests. The long run, from internal/dbtest,
// and one schedule alone:
//
//	go test ./model -v -schedules 100000 -timeout 2h
//	go test ./model -v -run Statements -schedules 1 -seed 44 -show
//
// The databases are on /dev/shm where there is one.
package model

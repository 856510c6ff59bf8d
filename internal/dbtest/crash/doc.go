// Package crash kills a receiver under load, again and again, and keeps account
// of what it had promised.
//
// The receiver is a process of its own: a webhook.Receiver that stores into
// sqlinbox, and a webhook.Worker that works the deliveries off. Clients call it
// over HTTP, it is killed with SIGKILL at random moments, and started again on
// the same database and the same address. On PostgreSQL the server is killed as
// well, alone and together with the receiver.
//
// The ledger stands outside. Clients enter each 202 after they have read the
// whole answer; the receiver reports the beginning and the end of each run, and
// the end of each claim, by one write to a pipe, which outlives it. So the
// ledger knows what was claimed when the kill came, and in the end it says:
//
//   - lost: what was answered 202 and never handled. It must be none.
//   - second runs: none of what was settled, and none before the lease of the
//     run before had ended. After a kill there are at most as many as were
//     claimed then. On a very busy machine a lease may run out without a kill;
//     those are counted apart.
//   - order: of one key nothing begins before what was acknowledged earlier.
//   - that nothing ran that was not sent, and nothing with other bytes.
//   - unanswered: sent and never acknowledged. They may have run or not. Part of
//     the calls without an answer are sent again under the same id.
//
// A kill counts only if there was something to break: at that moment at least
// 16 requests were in flight, at least one callback was running, and at least 16
// deliveries had been acknowledged since the kill before. A trial that finds no
// such moment fails.
//
// The variants are inboxes that break a promise each, such as one that
// acknowledges before it commits. With them the trial must fail.
//
// A few kills run with the other tests. The long trial, from internal/dbtest:
//
//	go test ./crash -run 'Killed' -v -kills 200 -wait 250ms -timeout 1h
//
// SIGKILL leaves the page cache alone, so this says nothing about power loss.
package crash

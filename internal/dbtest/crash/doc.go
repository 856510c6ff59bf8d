// Package crash kills a receiver under load, again and again, and checks that it
// keeps what it has acknowledged.
//
// The receiver is a process of its own: a webhook.Receiver that stores into
// sqlinbox, and a webhook.Worker that works the deliveries off. Clients call it
// over HTTP, it is killed with SIGKILL at random moments, and started again on
// the same database and the same address. On PostgreSQL the server is killed as
// well, alone and together with the receiver.
//
// The account is kept outside the receiver. Clients note each 202 after they have
// read the whole answer. The receiver reports the beginning and the end of each run,
// and the end of each claim, by one write to a pipe, which outlives it. So the
// account knows what was claimed at a kill. At the end it reports:
//
//   - lost: deliveries answered 202 and never handled. There must be none.
//   - second runs: no settled delivery may run again, and none before the lease of
//     its last run has ended. After a kill no more may run again than were claimed
//     then. On a very busy machine a lease may run out without a kill; those runs
//     are counted apart.
//   - order: no delivery may begin before an earlier one of its key was handled.
//   - deliveries that ran and were not sent, or with other bytes. There must be none.
//   - unanswered: deliveries sent and never acknowledged. They may have run or not.
//     Most calls without an answer are repeated with the same id.
//
// A kill counts only if at that moment at least 16 requests are in flight, at least
// one callback is running, and at least 16 deliveries were acknowledged since the
// kill before. A trial that finds no such moment fails.
//
// With an inbox of package broken, such as one that acknowledges before it commits,
// the trial must fail.
//
// A few kills run with the other tests. The long trial, from internal/dbtest:
//
//	go test ./crash -run 'Killed' -v -kills 200 -wait 250ms -timeout 1h
//
// SIGKILL does not touch the page cache, so this proves nothing about power loss:
// see package powerloss.
package crash

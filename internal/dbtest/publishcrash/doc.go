// Package publishcrash kills a publisher under load, again and again, and checks that it sends
// what was published, and nothing to an endpoint that was deleted.
//
// The publisher is a process of its own: a publish.Publisher on sqlinbox and sqlstore, and
// writers that publish by Publish and by PublishTx, the latter with a row of their own in the
// same transaction, some of which roll back. It is killed with SIGKILL at random moments and
// started again on the same database. The endpoints are a server in the process of the test,
// which survives. That process also creates and deletes endpoints.
//
// The account is kept there too. Writers report by one write to a pipe that they begin to
// publish an event, and what came of it. The outbox of the publisher reports each claim of a
// delivery and each settlement. The server notes each request. At the end:
//
//   - lost: events that were published, because the call returned or their row is in the
//     database, and that have not reached an endpoint. There must be none. An endpoint counts
//     from the next start of the publisher after its creation on, until its deletion begins.
//   - what was rolled back has reached no endpoint.
//   - late: requests that began more than a second after a Delete had returned. There must be
//     none. Both times are taken in the process of the test, by its monotonic clock. Half of
//     the deletes end what waits for the endpoint at once, and half do not, as with an outbox
//     that is no webhook.Admin: then only what the publisher knows of the endpoint keeps it
//     from sending.
//   - ran twice: a request is sent again only if it was in flight at a kill, which means that
//     it had begun and was not settled. No more can be in flight than the Concurrency of the
//     publisher. No delivery is claimed again before its lease has ended.
//   - order: at the endpoint that is Ordered, no event begins before an earlier one of its key
//     has arrived.
//   - each request has the bytes of its event, verifies, and has the one ID of the event.
//
// A kill counts only if at least 16 events were published since the kill before and a request
// was in flight. A trial that finds no such moment fails.
//
// With an outbox or a store of package broken, the trial must fail.
//
// A few kills run with the other tests. The long trial, from internal/dbtest:
//
//	go test ./publishcrash -run Killed -v -kills 200 -wait 250ms -timeout 1h
package publishcrash

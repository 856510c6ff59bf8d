// Package publish sends webhooks: each event is signed and delivered to the endpoints that
// others have registered, with retries over days, and their owners can see what became of it.
//
//	inbox := sqlinbox.New(db, sqlinbox.SQLite)
//	pub := publish.New(inbox, sqlstore.New(inbox))
//
//	err := inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
//		// insert a comment with tx, then
//		_, err := pub.PublishTx(ctx, tx, publish.Event{Type: "comment.created", Payload: comment})
//		return err
//	})
//
//	err = webhook.Serve(ctx, server, listener, pub)
//
// A [Publisher] stores events and deliveries in a [webhook.Inbox], its outbox, and endpoints
// and attempts in a [Store]. Package sqlstore has one on SQLite and PostgreSQL, beside the
// Inbox of package sqlinbox; [MemStore] with [webhook.MemInbox] is for tests.
//
// # How it works
//
// The outbox is an inbox used twice. An event is a delivery, and each call of an endpoint is
// a delivery that follows from it:
//
//  1. [Publisher.Publish] stores the event, or PublishTx, in a transaction of the program. It
//     reads no endpoints. So the transaction gets one row, whatever their number, and no
//     fault of the Store makes it fail.
//  2. A Worker stores a delivery for each endpoint that matches. Their UIDs follow from the
//     event and the endpoint: if this is cut off, it is repeated, and none is stored twice.
//  3. Another Worker looks up the endpoint, signs, sends and records the attempt.
//
// [Publisher.Run] is both Workers. It can run in the process that publishes, or in others, and
// in several. The body is stored with the event, byte for byte: deliveries have a copy if all
// copies of an event together take up to 64 KiB, and otherwise it is read when it is sent.
//
// Before step 2, events may pass a queue, such as one of RabbitMQ: a Relay of package spool takes
// them from the outbox, and Run takes them from [Publisher.Events]. Deliveries and their retries
// stay in the outbox.
//
// # What is promised
//
//   - A published event is sent to every endpoint that matched when it was handed out, until
//     that has answered with 2xx, the schedule is over, or the endpoint is deleted or disabled.
//   - At least once, once in practice. If the process ends between the answer and the
//     settlement, the request is sent again, with the same Webhook-Id. One event has at most
//     one request at a time to an endpoint, while the leases of the Workers hold.
//   - An endpoint is looked up for each request. Deletes, new URLs, new secrets and pauses
//     apply to what waits already, within a second in every process.
//   - A fault that is not the endpoint's costs no attempt: the Store or the outbox cannot be
//     read, the process ends, a scheme is unknown. It is logged as an error, and the delivery
//     waits. An endpoint that fails makes warnings, and dead deliveries, which are its own.
//
// # Retries
//
// The schedule is that of Standard Webhooks, ten attempts in three days, each wait up to a
// fifth longer at random. What an answer means:
//
//	2xx                       delivered
//	400, 409, 413, 415, 422   about this event: tried again, and does not count against the endpoint
//	410                       the endpoint is disabled
//	429                       tried again, without being counted, until Retention is over
//	others, no answer         a fault of the endpoint: tried again
//
// Redirects are not followed. A Retry-After is kept, up to 24 hours. With a 429 or a fault of
// the endpoint nothing else is sent to it meanwhile, except tests. Of an answer, what arrives
// within a second after the header is read, up to 16 KiB, and 1 KiB of it is recorded.
//
// # No endpoint delays another
//
// An endpoint has lanes, four if nothing else is set, and a lane has one request at a time.
// Lanes are ordering keys of the outbox: the rest of a backlog costs nothing. Events of one
// [Event.Key] share a lane. A failed delivery lets younger ones of its lane pass, unless
// [Endpoint.Ordered] is set. Then there are, in each process:
//
//   - A breaker. After three failures in a row nothing is sent for 30 s, then for twice as
//     long each time, up to 10 min. What waits is not tried and not counted.
//   - A slow start. An endpoint begins with one request at a time; a success doubles that, a
//     failure makes it one.
//   - A bulkhead. Endpoints whose last request has failed, or has taken a fifth of Timeout or
//     more, or that are new, share half of all places. So the others have the other half,
//     however many hang. If many endpoints that were proven begin to hang at once, others are
//     late by one Timeout.
//   - The rate of the endpoint. Several processes have each its own.
//
// # States
//
// While an endpoint is paused, its events are recorded and wait, up to Retention. While it is
// disabled, nothing is recorded for it. What was waiting ends dead, without an attempt: at once
// if the outbox is a [webhook.Admin], and what is left of it when it is due.
//
// A Publisher disables an endpoint after a 410, and when it has failed for five days without a
// success. A burst of failures does not disable it, and two failures that are days apart do not;
// see [Publisher.DisableAfter]. An [Observer] gets the beginning of a failing and the disabling,
// each once, so that the program can write to the owner. [Publisher.Resume] makes the endpoint
// active again, and [Publisher.Resend] sends what it has missed, exactly once.
//
// # Signatures
//
// The default is Standard Webhooks, with which receivers in any language verify: the headers
// are Webhook-Id, Webhook-Timestamp and Webhook-Signature. For other ways see [Scheme].
// [Publisher.Rotate] changes a secret with an overlap. Every request has Webhook-Id and
// Webhook-Type. No signature covers the type: put it into the payload too, as Standard Webhooks
// advises, if receivers act by it.
//
// Give those who receive the page [For those who receive our webhooks]: it says how to verify in
// each language, what to answer, and when a request comes again.
//
// # Addresses
//
// Whoever registers an endpoint chooses where the Publisher connects to. Package addrguard
// judges the address when it is registered and again when it is dialed, so neither a name that
// changes nor a redirect leads into the private network. Proxies of the environment are
// ignored.
//
// # Settings of the database
//
// The retention of the outbox must be at least Publisher.Retention, or events are deleted while
// a paused endpoint still waits for them, and at least what Publisher.Schedule can take. Run
// refuses another one. A connection pool should keep as many idle
// connections as it opens.
//
// [For those who receive our webhooks]: https://github.com/hookhouse/hookhouse/blob/main/webhook/publish/RECEIVERS.md
package publish

// Package webhook receives webhooks and does not lose one.
//
// One value flows through it, the [Delivery]: who sent it, what it is about, and
// the exact bytes. One interface takes it, the [Handler]. A typed callback is a
// Handler, the [Mux] that routes by type is one, and so is [Store], whose nil
// means committed. A callback therefore runs inside the request or behind an
// [Inbox] without a changed line.
//
//	var mux webhook.Mux
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
//		return deploy(ctx, e.Payload.Ref)
//	})
//	http.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux))
//
// # Five steps
//
// A [Receiver] is the http.Handler of one [Source]. [Source.Middleware] takes the
// same steps before an http.Handler of your own.
//
//  1. Admit. The method, the client's address, the token, the signature header:
//     what can be judged is judged before a byte of the body is read.
//  2. Read. At most [Source.MaxBody] bytes, within [Receiver.ReadTimeout], and
//     charged to a [Budget] that all requests share.
//  3. Verify. The [Verifier] proves the exact bytes. Nothing is parsed before.
//  4. Describe. The Source tells type, ordering key and dedup keys.
//  5. Hand on. The Handler's error becomes the answer: see [StatusCode].
//
// Typed callbacks are registered with [On], untyped Handlers with [Mux.Route].
// It is not named Handle because the Mux is a Handler itself: that name is taken
// by the method that every Handler has.
//
// # What is promised, and what it costs
//
// Acknowledged after commit. A 2xx is sent when the Handler returned nil, and
// Store returns nil when the inbox has committed. The sender waits for that. What
// could not be stored is answered 503, whatever went wrong. [MemInbox] commits to
// memory, and the Receiver says so in the log, once.
//
// At least once, once in practice. A delivery whose id or signature is known is
// answered 202 with "duplicate": true and does not run again. A callback may
// still run twice when a process dies between its effect and the settlement: make
// effects idempotent, or commit both in one transaction.
//
// In order per key. Of one [Delivery.OrderingKey] one delivery runs at a time,
// in order of acknowledgement; one that waits for its retry holds the others
// up, unless [Worker.RetryOutOfOrder]. Deliveries without an ordering key have
// no order.
//
// Authentic before anything else. Verification is constant in time, takes several
// live secrets, and fails closed: [NewReceiver] panics on an empty secret, and a
// verifier that was never validated refuses everything. Reasons go to the log
// once, never to the sender.
//
// Nothing authentic is thrown away. A malformed body behind an inbox is stored,
// ends [Dead] with its reason, and can be looked at. A panic is an error, and what
// ends the process runs alone then, so that its neighbours do not die with it.
// Names are clamped to 255 bytes of valid UTF-8, so that no store refuses them.
// Inside the request nothing is kept. A type without a callback is acknowledged
// there, with a warning in the log, and the context of a callback ends when the
// sender hangs up: GitHub does after ten seconds.
//
// Bounded. Memory for bodies (256 MiB in all unless set), the time a body may
// take, the work at once ([Worker.Concurrency]), how long what is finished is
// kept (a setting of the inbox, and a longer one for what is dead). Beyond a
// bound a sender gets 503 and Retry-After; one that does not try again has then
// lost its delivery, so choose bounds with room.
//
// Drained. [Worker.Run] lets callbacks finish for [Worker.ShutdownTimeout] and
// gives back the rest uncounted. [Serve] ends the server and the Workers
// together; when it has returned, close the database.
//
// Watched. [Worker.Health] tells how a Worker is, [HealthHandler] answers a probe
// for the inbox and the Workers together. A callback that does not return holds
// its slot and nothing else: it is logged every minute, and a Worker whose slots
// are all held so ends with [ErrStuck].
//
// Accepted while the database is away, with a Spool of package spool before it. It
// keeps its promises for one process with a disk of its own: what lies in its local inbox
// waits for that machine, and an ordering key that arrives at two machines has
// an order on each only.
//
// Secrets do not leak. A [Secret] prints as REDACTED; errors and logs hold neither
// it nor a signature, and a request is logged by its pattern, not its path. The
// stored headers lack Authorization, Cookie, and what carried a token.
//
// # Security notes
//
// A valid signature does not prove that a call is new: a captured GitHub call
// verifies at any later time. The dedup keys of a Source make it a duplicate for as
// long as the inbox remembers them. That does not help if the id is outside the
// signature and two genuine bodies can be equal: package github lists the events
// that can be sent again under another id. [StandardWebhooks] signs the time as well.
//
// White space in a secret counts. What a shell, an editor or a mounted file adds at
// its end is the commonest reason for a 401: the Receiver warns of it.
//
// A [Token] and [BasicAuth] prove that the caller knows a secret, not that the
// body is genuine: take such a body for a hint and ask its origin before acting.
// Tokens in a path end up in the access logs of proxies, which are not ours.
//
// Mount a Receiver on a pattern without a method: it answers 405 itself, where a
// catch-all page would answer 200 and some senders would count that as delivered.
// Behind http.TimeoutHandler, which cannot set a read deadline, set
// http.Server.ReadTimeout.
//
// A signature vouches for bytes, not for one reading of them. [Decode] uses
// encoding/json: of a name that stands twice the last value wins, names match in
// any case, and invalid UTF-8 becomes U+FFFD. [Mux.Decode] replaces it in one
// line; github.com/go-json-experiment/json refuses repeated names and invalid
// UTF-8, and matches case exactly. Where a payload is a [Checker], as those of
// the providers that route by the body are, a body whose routing names are
// repeated is [ErrMalformed] under any decoder.
//
// # What is left out
//
// Answers with content: a Handler may run an hour later and sees no
// ResponseWriter. Exactly once. A distributed engine: several processes share a
// database instead. Metrics of one kind: [Observer] feeds any, [LogObserver] a
// log. Routing of HTTP: http.ServeMux has it.
package webhook

// Package webhook receives webhooks without losing one.
//
// The central type is [Delivery]: who sent a request, what it is about, and its exact
// bytes. The central interface is [Handler]. A typed callback is a Handler, and so are
// the [Mux], which routes by type, and the result of [Store], which returns nil when an
// [Inbox] has committed the delivery. So a callback can run inside the request or behind
// an Inbox without a change.
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
// A [Receiver] is the http.Handler of one [Source]. [Source.Middleware] takes the same
// steps before an http.Handler of your own.
//
//  1. Admit. Whatever can be checked before the body is read is checked first: the
//     method, the client's address, a token, the form of the signature header.
//  2. Read. The body has at most [Source.MaxBody] bytes, must arrive within
//     [Receiver.ReadTimeout], and is charged to a [Budget] that all requests share.
//  3. Verify. The [Verifier] proves the exact bytes. Nothing is parsed before.
//  4. Describe. The Source finds the type, the ordering key and the dedup keys.
//  5. Handle. The error of the Handler decides the answer: see [StatusCode].
//
// Some senders test an address before they send deliveries to it. [Source.Handshake]
// answers such a request, before the first step or after the third, and it never becomes
// a delivery. Before the first step it sees a body of up to 1 KiB. Package handshake has
// the handshakes of common senders.
//
// Register typed callbacks with [On], with [OnType] for a struct of your own or of another
// package, and with [OnForm] for forms; and other Handlers with [Mux.Route]. Route is not
// named Handle because a Mux is a Handler itself, and every Handler has a method of that
// name.
//
// # Guarantees and their cost
//
// Acknowledged after commit. A 2xx is sent when the Handler has returned nil, and Store
// returns nil when the inbox has committed. The sender waits for that. If the delivery
// could not be stored, the answer is 503, whatever the reason. [MemInbox] commits to
// memory; the Receiver logs a warning about that, once.
//
// At least once, once in practice. A delivery whose ID or signature is already stored is
// answered with 202 and "duplicate": true, and does not run again. A callback may still
// run twice if the process dies between its effect and the settlement. Make effects
// idempotent, or commit both in one transaction.
//
// In order per key. Deliveries of a Source with the same [Delivery.OrderingKey] run one at a
// time, in the order in which they were acknowledged. A delivery that waits for its retry
// blocks the younger ones, unless [Worker.RetryOutOfOrder] is set or its error is a
// [RetryOutOfOrder]. Where a newer delivery makes older ones of its type needless, set
// [NewestOnly] in [Source.CoalesceTypes]: the newer one supersedes the retry. Deliveries
// without an ordering key have no order.
//
// Authentic before anything else. Verification takes constant time, accepts several keys,
// and fails closed: [NewReceiver] panics on an empty secret, and a verifier that was never
// validated refuses every request. The reason of a refusal is never sent. It is logged, but
// at most ten times a minute for each status, since anybody can cause refusals.
//
// Nothing authentic is thrown away. Behind an inbox a malformed body is stored, becomes
// [Dead] with a reason, and can be inspected. A panic is an error. A delivery that may
// have ended the process runs alone from then on, so that no other delivery is lost with
// it. Names are shortened to 255 bytes of valid UTF-8, so that every database stores
// them. If callbacks run inside the request instead, nothing is stored; see below.
//
// Bounded. There are limits for the memory of bodies (256 MiB in total by default), the
// time that a body may take to arrive, the attempts at once ([Worker.Concurrency], and
// [Policy] for a type), and how long finished deliveries are kept (a setting of the inbox,
// with a longer one for dead deliveries). Beyond a limit of memory or time the sender gets
// 503 with Retry-After. A sender that does not try again has then lost its delivery, so set
// limits with room to spare.
//
// Ended in order. When [Worker.Run] ends, it lets callbacks finish for [Worker.ShutdownTimeout]
// and puts back the remaining deliveries uncounted. [Serve] ends the server and the Workers
// together, and a [Service] adds a delay for load balancers. When it has returned, close the
// database. Without a process that runs all the time, [Worker.Drain] works what is due.
//
// Observable. [Worker.Health] is the state of a Worker. [HealthHandler] answers a health
// probe for the inbox and the Workers. A callback that does not return holds its slot and
// nothing else. It is logged every minute, and a Worker returns [ErrStuck] if such callbacks
// hold all of its slots. An [Admin], such as [MemInbox], lists, replays and releases stored
// deliveries. The caller's Traceparent is stored with the delivery, and a callback finds it in
// [Delivery.TraceHeader] at each attempt. Module webhook/otel makes spans of it, and module
// webhook/prom makes metrics of what an [Observer] sees.
//
// Available while the database is not, with a Spool of package spool before it. The
// guarantees of a Spool are for one process with its own disk: the deliveries in its local
// inbox wait for that machine, and if an ordering key arrives at two machines, it is in
// order on each of them only.
//
// Readable in any language. [Delivery.MarshalBinary] encodes a delivery for a queue or a file,
// as a line of JSON and the body. DELIVERY.md documents it, with readers in Python and
// JavaScript.
//
// Secrets stay secret. A [Secret] is printed as REDACTED. Errors and logs contain neither
// a secret nor a signature, and a request is logged with its pattern instead of its path.
// Stored headers lack Authorization, Proxy-Authorization, Cookie, and headers that contained
// a token.
//
// # Callbacks inside the request
//
// A Receiver whose Handler is a callback or a Mux, instead of Store, needs no inbox. Then:
//
//   - The sender waits for the callback, and the callback's error decides the answer.
//   - The callback's context ends with the sender's connection: when the sender no longer
//     waits, the callback is canceled in the middle of its work. Nothing tries it again,
//     unless the sender does.
//   - A type without a callback is answered with 202 and logged as a warning, once an hour
//     for each type.
//
// So a callback must finish well within the time that its sender waits, or belongs behind
// an inbox. The packages of the senders have the sources:
//
//	sender         waits                            tries again
//	GitHub         10 s, Enterprise Server 30 s     no
//	Kudu           10 s, and blocks the deployment  no
//	JobServ        without limit                    three times within seven seconds
//	Docker Hub     not documented                   not documented: assume that it does not
//
// # Security notes
//
// A valid signature does not prove that a request is new: a captured request of GitHub is
// valid at any later time. Its dedup keys make it a duplicate for as long as the inbox
// stores them. That does not help if the signature does not cover the ID and two authentic
// bodies can be equal: package github lists the events that can be sent again with another
// ID. [StandardWebhooks] also signs the time, and so do [HMAC] and [Ed25519] with
// {timestamp} in Signed.
//
// White space in a secret is part of the secret. The most common reason for a 401 is white
// space that a shell, an editor or a mounted file adds at the end. The Receiver logs a
// warning about it.
//
// A [Token] and [BasicAuth] prove that the caller knows a secret, not that the body is
// authentic. Treat such a body as a hint, and ask the sender's API before acting on it.
// Tokens in a path appear in the access logs of proxies, which this package cannot prevent.
//
// Mount a Receiver on a pattern without a method. It answers other methods with 405 itself,
// except for handshakes, whereas a catch-all page would answer 200, which some senders count
// as delivered. Behind http.TimeoutHandler, which does not support read deadlines, set
// http.Server.ReadTimeout.
//
// A signature proves the bytes, not one interpretation of them. [Decode] uses encoding/json:
// of a repeated name the last value is used, names match in any case, and invalid UTF-8
// becomes U+FFFD. [Mux.Decode] replaces the decoder in one line.
// github.com/go-json-experiment/json refuses repeated names and invalid UTF-8, and matches
// case exactly. If a payload is a [Checker], a body that repeats the names used for routing
// is [ErrMalformed] with any decoder. The payloads of providers that route by the body are
// Checkers.
//
// # Senders
//
// Each of these senders is one literal of a [Source], with its handshake if it has one. It
// is an example of the verifier in the second column: see go doc -http, or the files
// example_slack_test.go and so on. The other columns say what the proof of a sender covers:
// if that is altered, the call is refused.
//
//	sender                verifier          body  time  ID       URL
//	Bitbucket             HMAC              yes   no    no       no
//	Discord               Ed25519           yes   yes   none     no
//	Gitea                 HMAC              yes   no    no       no
//	GitLab, secret token  Token             no    no    no       no
//	GitLab, signing token StandardWebhooks  yes   yes   yes      no
//	Jira                  HMAC              yes   no    no       no
//	Shopify               HMAC              yes   no    no       no
//	Slack                 HMAC              yes   yes   in body  no
//	Square                HMAC              yes   no    in body  yes
//	Stripe                HMAC              yes   yes   in body  no
//	Svix                  StandardWebhooks  yes   yes   yes      no
//	Trello                HMAC              yes   no    in body  yes
//	Twilio                Twilio            yes   no    no       yes
//	Zoom                  HMAC              yes   yes   none     no
//
// "In body" is an ID that Describe reads from the body, "none" that the sender sends no
// ID. The URL is the one that is registered with the sender; that of the request is never
// used. What is not covered is not proven:
//
//   - Without a time, a captured call is valid at any later time. With one it is valid
//     for the Tolerance, and meanwhile a duplicate by its ID. Discord, Zoom and a part of
//     the calls of Slack have no ID: their literals set [Description.DedupBySignature].
//   - An ID that is not covered makes a repeated call a duplicate, unless somebody repeats
//     a captured call and changes the ID. The literal of Twilio sets DedupBySignature
//     against that. Those of Bitbucket, Gitea, Jira and Shopify do not, since different
//     events may have equal bodies, such as two pushes of one commit or two topics of one
//     order: the second would be lost.
//   - Bitbucket, Gitea and Shopify send the type in a header, which is not covered. Nor
//     are the headers with the shop and the time of Shopify.
//   - A secret token of GitLab covers nothing, as [Token] says. Prefer a signing token.
//   - Twilio signs the parameters of a form without marks between them: see [Twilio].
//   - Jira signs the admin webhooks that have a secret. What an OAuth 2.0 or a Connect app
//     registers has a JSON Web Token instead, which no verifier of this package reads.
//
// # Tenants
//
// One Source can receive the calls of many tenants, each with a secret of its own. KeysFor of
// its verifier looks up the keys for a request, and [Source.Scope] names the tenant, so that
// no tenant can make a delivery of another one a duplicate, delay it or supersede it. The
// example of Source shows both.
//
// # What is left out
//
//   - Answers with content, except to handshakes. A Handler may run an hour later and has no
//     ResponseWriter.
//   - Exactly once.
//   - A distributed engine. Several processes share a database instead.
//   - Metrics and traces of one system. [Observer] serves any system, [LogObserver] writes a
//     log, and modules webhook/prom and webhook/otel are apart, with their dependencies.
//   - Routing of HTTP requests. http.ServeMux does it.
package webhook

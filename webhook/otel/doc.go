// Package otel makes OpenTelemetry spans of deliveries, from the request to the settlement,
// over retries, restarts and replays. It is a module of its own, so that only programs that
// use it depend on go.opentelemetry.io/otel. The SDK and an exporter are the program's.
//
// Import it under another name, since the API has the same one:
//
//	import hookotel "github.com/hookhouse/hookhouse/webhook/otel"
//
//	var tracer hookotel.Tracer
//	http.Handle("/hooks/github", tracer.Receive(receiver))
//	receiver.Observer = tracer.Observer()
//	worker := webhook.NewWorker(inbox, tracer.Handler(&mux))
//	worker.Observer = tracer.Observer()
//
// [webhook.MultiObserver] joins the Observer with others.
//
// # Spans
//
// The names and attributes are those of
// https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, where there is
// one.
//
//   - "receive <pattern>", of kind server: the request. Its parent is the caller's span, as
//     in the header Traceparent, or the span in the request's context, if a middleware
//     before this one has started one.
//   - "process <source>", of kind consumer: one for each attempt, with the outcome. Its
//     parent is the receive span. The callback has it in its context.
//   - "settle <source>", of kind client: one for the end of each claim, with the resulting
//     state of the delivery. Its parent is the receive span, too.
//
// The receive span replaces the Traceparent that is stored with the delivery. So an attempt
// that runs hours later, in another process, or after a replay, belongs to the trace of the
// request.
//
// A delivery that follows from another one, made by [webhook.NewDelivery], belongs to the
// trace of its cause if [Tracer.Inject] was called for it. Without a stored trace, each span
// begins one of its own.
//
// # Attributes
//
//	messaging.system             "hookhouse"
//	messaging.operation.name     "receive", "process" or "settle"
//	messaging.operation.type     the same
//	messaging.destination.name   Delivery.Source
//	messaging.message.id         Delivery.UID
//	messaging.message.body.size  in bytes
//	hookhouse.type               Delivery.Type
//	hookhouse.ordering_key       Delivery.OrderingKey, if it has one
//	hookhouse.sender_id          Delivery.ID, if it has one
//	hookhouse.attempt            Claim.Attempt
//	hookhouse.last               Claim.Last
//	hookhouse.outcome            of receive: "accepted", "duplicate", "ignored", "failed" or "rejected";
//	                             of process: "ok", "postponed", "duplicate", "ignored", "retry" or "permanent"
//	hookhouse.duplicate_of       the UID of the stored delivery, of a duplicate
//	hookhouse.state              the state after settle
//	hookhouse.reason             why, if the outcome is not a success
//	http.request.method, http.route, http.response.status_code
//
// No attribute contains a body, a path or a query, or the whole of a header. A reason is the
// text of an error, as it is logged: it may quote what the sender wrote, such as a media
// type, and that of a callback's error contains what the callback puts into it, which may
// be the URL of a request with its token.
//
// # Who decides what is sampled
//
// A caller can put any trace ID into its request and set the flag that asks for sampling. It
// is believed before the request is verified, since the receive span covers the
// verification: the spans of refused requests are sampled too. If strangers can call, set
// [Tracer.NewRoot]: then each request begins a trace of its own, with a link to the
// caller's, and the sampler of the program decides.
package otel

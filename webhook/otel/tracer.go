package otel

import (
	"context"
	"net/http"
	"strings"

	api "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/hookhouse/hookhouse/webhook"
)

// scope is the name of the instrumentation.
const scope = "github.com/hookhouse/hookhouse/webhook/otel"

// A Tracer makes the spans of deliveries. The zero value is ready to use. Set its fields
// before use. It is safe for concurrent use.
type Tracer struct {
	// Provider makes the spans. If nil, it is the global one, which is asked at each span.
	Provider trace.TracerProvider
	// Propagator reads and writes the context of a trace in headers. If nil, it is that of
	// Traceparent and Tracestate, whatever the global one is. With propagation.Baggage the
	// callback gets the caller's baggage too, and an instrumented client sends it on to
	// whomever the callback calls: use it only if the callers are your own.
	Propagator propagation.TextMapPropagator
	// NewRoot begins a trace of its own for each request, with a link to the caller's, and
	// reads no baggage. If false, the trace of the caller goes on. It has no effect behind
	// a middleware that has started a span for the request: that decides instead.
	NewRoot bool
}

func (t *Tracer) tracer() trace.Tracer {
	provider := t.Provider
	if provider == nil {
		provider = api.GetTracerProvider()
	}
	return provider.Tracer(scope)
}

func (t *Tracer) propagator() propagation.TextMapPropagator {
	if t.Propagator == nil {
		return propagation.TraceContext{}
	}
	return t.Propagator
}

// Inject writes the span of ctx into the header of d, so that the attempts of d belong to
// its trace. Call it in a callback for a delivery that the callback has made with
// [webhook.NewDelivery], before it is put. Without a span in ctx, d is not changed.
func (t *Tracer) Inject(ctx context.Context, d *webhook.Delivery) {
	d.Header = t.inject(ctx, d.Header)
}

// inject returns a copy of h with the span of ctx, or h itself if ctx has none.
func (t *Tracer) inject(ctx context.Context, h http.Header) http.Header {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return h
	}
	own := make(http.Header, len(h)+2)
	for name, values := range h {
		own[name] = values
	}
	p := t.propagator()
	for _, name := range p.Fields() {
		own.Del(name)
	}
	p.Inject(ctx, propagation.HeaderCarrier(own))
	return own
}

// stored returns ctx with the span that is stored with the delivery as its current one.
func (t *Tracer) stored(ctx context.Context, d *webhook.Delivery) context.Context {
	return t.propagator().Extract(ctx, propagation.HeaderCarrier(d.Header))
}

// The attributes without a semantic convention.
const (
	typeKey        = attribute.Key("hookhouse.type")
	orderingKey    = attribute.Key("hookhouse.ordering_key")
	senderIDKey    = attribute.Key("hookhouse.sender_id")
	attemptKey     = attribute.Key("hookhouse.attempt")
	lastKey        = attribute.Key("hookhouse.last")
	outcomeKey     = attribute.Key("hookhouse.outcome")
	duplicateOfKey = attribute.Key("hookhouse.duplicate_of")
	stateKey       = attribute.Key("hookhouse.state")
	reasonKey      = attribute.Key("hookhouse.reason")
)

// operation returns the attributes of an operation, of which name and type are the same.
func operation(name string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("hookhouse"),
		semconv.MessagingOperationName(name),
		semconv.MessagingOperationTypeKey.String(name),
	}
}

// attributesOf returns the attributes of a delivery.
func attributesOf(d *webhook.Delivery) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		semconv.MessagingDestinationName(d.Source),
		semconv.MessagingMessageID(d.UID),
		semconv.MessagingMessageBodySize(len(d.Body)),
		typeKey.String(d.Type),
	}
	if d.OrderingKey != "" {
		attrs = append(attrs, orderingKey.String(d.OrderingKey))
	}
	if d.ID != "" {
		attrs = append(attrs, senderIDKey.String(d.ID))
	}
	return attrs
}

// attributesOfClaim returns the attributes of a claim that its delivery does not have.
func attributesOfClaim(c webhook.Claim) []attribute.KeyValue {
	return []attribute.KeyValue{attemptKey.Int(c.Attempt), lastKey.Bool(c.Last)}
}

// maxReason is how many bytes of a reason a span has.
const maxReason = 4 << 10

// clip returns the beginning of a text as valid UTF-8, which exporters need.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "\ufffd")
}

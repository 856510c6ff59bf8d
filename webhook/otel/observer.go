package otel

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/hookhouse/hookhouse/webhook"
)

// Observer returns an Observer that makes the settle spans, for a Worker, and adds the
// attributes of the delivery to the receive span, for a Receiver.
func (t *Tracer) Observer() *webhook.Observer {
	return &webhook.Observer{
		Rejected: t.rejected,
		Received: t.received,
		Settled:  t.settled,
		Lost:     t.lost,
	}
}

// rejected adds the reason to the receive span.
func (t *Tracer) rejected(ctx context.Context, source string, _ int, reason error) {
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(semconv.MessagingDestinationName(source), outcomeKey.String("rejected"), reasonKey.String(clip(reason.Error())))
}

// received adds the delivery to the receive span.
func (t *Tracer) received(ctx context.Context, d *webhook.Delivery, err error, _ time.Duration) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attributesOf(d)...)
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "accepted"
	case webhook.IsDuplicate(err):
		outcome = "duplicate"
		if known, ok := errors.AsType[*webhook.DuplicateError](err); ok {
			span.SetAttributes(duplicateOfKey.String(known.UID))
		}
	case webhook.StatusCode(err) == http.StatusAccepted:
		outcome = "ignored"
	}
	span.SetAttributes(outcomeKey.String(outcome))
	if outcome == "failed" {
		span.SetAttributes(reasonKey.String(clip(err.Error())))
	}
}

// settled makes the span of a settlement.
func (t *Tracer) settled(ctx context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
	attrs := []attribute.KeyValue{stateKey.String(string(o.State))}
	reason, failure := clip(o.Reason), ""
	if reason != "" {
		attrs = append(attrs, reasonKey.String(reason))
	}
	if o.State == webhook.Dead {
		failure = cmp.Or(reason, "dead")
	}
	t.settle(ctx, c, failure, attrs...)
}

// lost makes the span of a claim that could not be settled.
func (t *Tracer) lost(ctx context.Context, c webhook.Claim) {
	t.settle(ctx, c, webhook.ErrClaimLost.Error())
}

// settle makes the span of the end of a claim.
func (t *Tracer) settle(ctx context.Context, c webhook.Claim, failure string, attrs ...attribute.KeyValue) {
	ctx = t.stored(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), c.Delivery)
	_, span := t.tracer().Start(ctx, "settle "+c.Delivery.Source,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(operation("settle")...),
		trace.WithAttributes(attributesOf(c.Delivery)...),
		trace.WithAttributes(attributesOfClaim(c)...),
		trace.WithAttributes(attrs...))
	if failure != "" {
		span.SetStatus(codes.Error, failure)
	}
	span.End()
}

package otel

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/hookhouse/hookhouse/webhook"
)

// Handler returns a Handler that starts a span for each call of h, with which h is called.
// As a [webhook.Router] it handles the types of h. A panic of h is recovered and returned
// as a [webhook.PanicError]. Handler panics on a nil h.
//
// The parent is the span that is stored with the delivery. In a callback that runs inside
// the request it is the span of the request. If the context of a Worker has a span, the new
// one has a link to it.
func (t *Tracer) Handler(h webhook.Handler) webhook.Handler {
	if h == nil {
		panic("otel: Handler needs a handler")
	}
	return webhook.Wrap(webhook.Recover(h), func(ctx context.Context, next webhook.Handler, d *webhook.Delivery) error {
		options := []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(operation("process")...),
			trace.WithAttributes(attributesOf(d)...),
		}
		current := trace.SpanContextFromContext(ctx)
		c, claimed := webhook.ClaimFromContext(ctx)
		if claimed {
			options = append(options, trace.WithAttributes(attributesOfClaim(c)...))
		}
		if claimed || !current.IsValid() {
			if current.IsValid() {
				options = append(options, trace.WithLinks(trace.Link{SpanContext: current}))
			}
			ctx = t.stored(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), d)
		}
		ctx, span := t.tracer().Start(ctx, "process "+d.Source, options...)
		defer span.End()
		err := next.Handle(ctx, d)
		noteOutcome(span, err)
		return err
	})
}

// noteOutcome notes in the span what h returned. A method of the error may panic: that is
// the Worker's to handle.
func noteOutcome(span trace.Span, err error) {
	defer func() {
		if v := recover(); v != nil {
			span.SetAttributes(outcomeKey.String("retry"))
			span.SetStatus(codes.Error, "a method of the error panicked")
		}
	}()
	outcome, failed := outcomeOf(err)
	span.SetAttributes(outcomeKey.String(outcome))
	if err == nil {
		return
	}
	reason := clip(err.Error())
	span.SetAttributes(reasonKey.String(reason))
	if failed {
		span.SetStatus(codes.Error, reason)
	}
}

// outcomeOf returns the outcome of an attempt that returned err.
func outcomeOf(err error) (outcome string, failed bool) {
	switch {
	case err == nil:
		return "ok", false
	case webhook.IsPostponed(err):
		return "postponed", false
	case webhook.IsDuplicate(err):
		return "duplicate", false
	case errors.Is(err, webhook.ErrIgnored) && webhook.StatusCode(err) == http.StatusAccepted: // and nothing else
		return "ignored", false
	case webhook.IsPermanent(err):
		return "permanent", true
	}
	return "retry", true
}

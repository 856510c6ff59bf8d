package otel

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Receive returns an http.Handler that starts a span for each request and calls next, a
// [webhook.Receiver] or what [webhook.Source.Middleware] returns. next gets a request with
// the span in its context and in its header, where the delivery has it from. Mount the
// result on the pattern of the Receiver: it is part of the name of the span.
//
// If the Receiver has [Tracer.Observer], the span has the attributes of the delivery.
//
// Without a TracerProvider that makes spans, the request is passed on as it is.
func (t *Tracer) Receive(next http.Handler) http.Handler {
	if next == nil {
		panic("otel: Receive needs a handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		options := []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(operation("receive")...),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method(r.Method))),
		}
		if r.Pattern != "" {
			options = append(options, trace.WithAttributes(semconv.HTTPRoute(r.Pattern)))
		}
		if !trace.SpanContextFromContext(ctx).IsValid() { // no middleware before has read the header
			if t.NewRoot {
				caller := t.propagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
				if link := trace.LinkFromContext(caller); link.SpanContext.IsValid() {
					options = append(options, trace.WithLinks(link))
				}
			} else {
				ctx = t.propagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
			}
		}
		ctx, span := t.tracer().Start(ctx, strings.TrimSpace("receive "+r.Pattern), options...)
		defer span.End()
		answer := &statusWriter{ResponseWriter: w, span: span}
		traced := r.WithContext(ctx)
		traced.Header = t.inject(ctx, r.Header)
		next.ServeHTTP(answer, traced)
		answer.note(http.StatusOK)
	})
}

// method returns the name of a method that is known, or "_OTHER": anybody can write
// anything there. See https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return name
	}
	return "_OTHER"
}

// A statusWriter notes the status of the answer in a span.
type statusWriter struct {
	http.ResponseWriter
	span  trace.Span
	noted bool
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	if status >= 200 { // others are followed by the status
		w.note(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// note notes the first status of an answer.
func (w *statusWriter) note(status int) {
	if w.noted {
		return
	}
	w.noted = true
	w.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= 500 {
		w.span.SetStatus(codes.Error, http.StatusText(status))
	}
}

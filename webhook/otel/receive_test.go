package otel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/hookhouse/hookhouse/webhook"
	hookotel "github.com/hookhouse/hookhouse/webhook/otel"
)

func TestTheReceiveSpanContinuesTheTraceOfTheCaller(t *testing.T) {
	tracer, spans := newTracer()
	var stored http.Header
	var inCallback trace.SpanContext
	rc := receiver(tracer, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		stored, inCallback = d.Header.Clone(), trace.SpanContextFromContext(ctx)
		return nil
	}))
	mux := http.NewServeMux()
	mux.Handle("/hooks/acme", tracer.Receive(rc))
	r := callOf(t, "id-1")
	sent := r.Header.Clone()
	if code := serve(mux, r); code != http.StatusAccepted {
		t.Fatalf("answer %d", code)
	}
	if diff := cmp.Diff(sent, r.Header); diff != "" {
		t.Errorf("the request was changed (-sent +now):\n%s", diff)
	}
	s := one(t, spans, "receive")
	if s.Name != "receive /hooks/acme" || s.SpanKind != trace.SpanKindServer || s.Status.Code != codes.Unset {
		t.Errorf("span %q of kind %v with status %v", s.Name, s.SpanKind, s.Status)
	}
	if s.SpanContext.TraceID().String() != callersTrace || s.Parent.SpanID().String() != callersSpan || !s.Parent.IsRemote() {
		t.Errorf("trace %s, parent %s; want the caller's", s.SpanContext.TraceID(), s.Parent.SpanID())
	}
	want := "00-" + callersTrace + "-" + s.SpanContext.SpanID().String() + "-01"
	if got := stored.Get("Traceparent"); got != want || stored.Get("Tracestate") != callersState {
		t.Errorf("stored are %q and %q, want %q and %q", got, stored.Get("Tracestate"), want, callersState)
	}
	if !inCallback.Equal(s.SpanContext) {
		t.Error("a callback inside the request has not the span in its context")
	}
	got := attributes(s)
	if got["messaging.message.id"] == "" {
		t.Error("the span has no UID")
	}
	delete(got, "messaging.message.id")
	wantAttributes := map[string]string{
		"messaging.system": "hookhouse", "messaging.operation.name": "receive", "messaging.operation.type": "receive",
		"messaging.destination.name": "acme", "messaging.message.body.size": "2", "hookhouse.type": "acme.push",
		"hookhouse.ordering_key": "key", "hookhouse.sender_id": "id-1", "hookhouse.outcome": "accepted",
		"http.request.method": "POST", "http.route": "/hooks/acme", "http.response.status_code": "202",
	}
	if diff := cmp.Diff(wantAttributes, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestTheReceiveSpanHasTheOutcome(t *testing.T) {
	wrong := func(t *testing.T) *http.Request {
		r := callOf(t, "id")
		r.Header.Set("X-Signature", "00")
		return r
	}
	right := func(t *testing.T) *http.Request { return callOf(t, "id") }
	for _, tt := range []struct {
		name    string
		call    func(t *testing.T) *http.Request
		handler webhook.Handler
		status  string
		failed  bool
		want    map[string]string
	}{
		{"rejected", wrong, returns(nil), "401", false, map[string]string{"outcome": "rejected"}},
		{"a duplicate", right, returns(&webhook.DuplicateError{UID: "first"}), "202", false, map[string]string{"outcome": "duplicate", "duplicate_of": "first"}},
		{"ignored", right, returns(webhook.ErrIgnored), "202", false, map[string]string{"outcome": "ignored"}},
		{"ignored in part", right, returns(errors.Join(webhook.ErrIgnored, errors.New("no disk"))), "500", true, map[string]string{"outcome": "failed", "reason": "webhook: ignored\nno disk"}},
		{"without a callback", right, &webhook.Mux{IgnoreUnhandled: true}, "202", false, map[string]string{"outcome": "ignored"}},
		{"not stored", right, returns(webhook.ErrNotStored), "503", true, map[string]string{"outcome": "failed", "reason": "webhook: not stored"}},
		{"a panic", right, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { panic("ouch\xff") }), "500", true, map[string]string{"outcome": "failed", "reason": "webhook: handler panicked: ouch\ufffd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := newTracer()
			serve(tracer.Receive(receiver(tracer, tt.handler)), tt.call(t))
			s := one(t, spans, "receive")
			got := attributes(s)
			for name, want := range tt.want {
				if got["hookhouse."+name] != want {
					t.Errorf("%s is %q, want %q", name, got["hookhouse."+name], want)
				}
			}
			if got["http.response.status_code"] != tt.status || (s.Status.Code == codes.Error) != tt.failed {
				t.Errorf("status %s, of the span %v", got["http.response.status_code"], s.Status)
			}
		})
	}
}

func TestNewRootBeginsATraceWithALink(t *testing.T) {
	tracer, spans := newTracer()
	tracer.NewRoot = true
	var stored http.Header
	serve(tracer.Receive(receiver(tracer, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		stored = d.Header.Clone()
		return nil
	}))), callOf(t, "id"))
	s := one(t, spans, "receive")
	if s.SpanContext.TraceID().String() == callersTrace || s.Parent.IsValid() {
		t.Errorf("trace %s with parent %s, want a new one", s.SpanContext.TraceID(), s.Parent.SpanID())
	}
	if len(s.Links) != 1 || s.Links[0].SpanContext.TraceID().String() != callersTrace {
		t.Errorf("links %v, want one to the caller's trace", s.Links)
	}
	if want := "00-" + s.SpanContext.TraceID().String() + "-" + s.SpanContext.SpanID().String() + "-01"; stored.Get("Traceparent") != want {
		t.Errorf("stored is %q, want %q", stored.Get("Traceparent"), want)
	}
	if got := stored.Get("Tracestate"); got != "" {
		t.Errorf("the Tracestate of the caller, %q, is stored beside the new trace", got)
	}
}

func TestNewRootReadsNoBaggage(t *testing.T) {
	tracer, _ := newTracer()
	tracer.NewRoot = true
	tracer.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	r := callOf(t, "id")
	r.Header.Set("Baggage", "user=alice")
	var stored string
	var inCallback int
	serve(tracer.Receive(receiver(tracer, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		stored, inCallback = d.Header.Get("Baggage"), baggage.FromContext(ctx).Len()
		return nil
	}))), r)
	if stored != "" || inCallback != 0 {
		t.Errorf("stored baggage is %q, and the callback has %d members, want none", stored, inCallback)
	}
}

// A middleware for all of HTTP has started a span already.
func TestTheReceiveSpanIsAChildOfTheSpanInTheContext(t *testing.T) {
	tracer, spans := newTracer()
	r := callOf(t, "id")
	ctx, outer := tracer.Provider.Tracer("test").Start(t.Context(), "outer")
	serve(tracer.Receive(receiver(tracer, returns(nil))), r.WithContext(ctx))
	outer.End()
	if s := one(t, spans, "receive"); s.Parent.SpanID() != outer.SpanContext().SpanID() {
		t.Errorf("parent %s, want the span of the context", s.Parent.SpanID())
	}
}

func TestAHeaderThatIsNoTraceContextBeginsATrace(t *testing.T) {
	for _, header := range []string{"", "00-zz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "\xff"} {
		tracer, spans := newTracer()
		r := callOf(t, "id")
		r.Header.Set("Traceparent", header)
		serve(tracer.Receive(receiver(tracer, returns(nil))), r)
		if s := one(t, spans, "receive"); s.Parent.IsValid() || !s.SpanContext.IsValid() {
			t.Errorf("with Traceparent %q the parent is %s", header, s.Parent.SpanID())
		}
	}
}

// Without an SDK everything works and the caller's trace context is kept.
func TestWithoutAnSDKTheTraceContextOfTheCallerIsStored(t *testing.T) {
	for name, tracer := range map[string]*hookotel.Tracer{"the global provider": {}, "noop": {Provider: noop.NewTracerProvider()}} {
		t.Run(name, func(t *testing.T) {
			var stored http.Header
			h := tracer.Handler(webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
				stored = d.Header.Clone()
				return errors.New("fails")
			}))
			if code := serve(tracer.Receive(receiver(tracer, h)), callOf(t, "id")); code != 500 {
				t.Errorf("answer %d, want 500", code)
			}
			if stored.Get("Traceparent") != callersParent || stored.Get("Tracestate") != callersState {
				t.Errorf("stored are %q and %q", stored.Get("Traceparent"), stored.Get("Tracestate"))
			}
		})
	}
}

// The read deadline of the Receiver reaches the connection, and an answer without a body has
// its status.
func TestReceivePassesOnWhatAResponseWriterCanDo(t *testing.T) {
	tracer, spans := newTracer()
	var flushed error
	server := httptest.NewServer(tracer.Receive(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		flushed = http.NewResponseController(w).Flush()
	})))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	server.Close() // the handler has returned
	if flushed != nil {
		t.Errorf("Flush = %v", flushed)
	}
	if got := attributes(one(t, spans, "receive")); got["http.response.status_code"] != "200" {
		t.Errorf("attributes %v", got)
	}
}

func TestAnUnknownMethodIsNotAnAttribute(t *testing.T) {
	tracer, spans := newTracer()
	serve(tracer.Receive(receiver(tracer, returns(nil))), httptest.NewRequest("STRANGE", "/", nil))
	if got := attributes(one(t, spans, "receive"))["http.request.method"]; got != "_OTHER" {
		t.Errorf("method %q", got)
	}
}

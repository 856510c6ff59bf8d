package otel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/hookhouse/hookhouse/webhook"
	hookotel "github.com/hookhouse/hookhouse/webhook/otel"
)

// tracedDelivery returns a delivery that has the trace context of the caller.
func tracedDelivery() *webhook.Delivery {
	d := webhook.NewDelivery("acme", "acme.push", "key", []byte("{}"))
	d.UID = "u1"
	d.Header = http.Header{"Traceparent": {callersParent}, "Tracestate": {callersState}, "Baggage": {"user=alice"}}
	return d
}

// A nilError is an error whose method panics if it is nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestTheProcessSpanHasTheOutcome(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		panics  any
		outcome string
		reason  string
		failed  bool
	}{
		{name: "success", outcome: "ok"},
		{name: "a failure", err: errors.New("no disk"), outcome: "retry", reason: "no disk", failed: true},
		{name: "a retry later", err: webhook.RetryAfter(time.Hour, errors.New("busy")), outcome: "retry", reason: "busy", failed: true},
		{name: "permanent", err: webhook.Permanent(errors.New("never")), outcome: "permanent", reason: "never", failed: true},
		{name: "ignored", err: fmt.Errorf("a tag: %w", webhook.ErrIgnored), outcome: "ignored", reason: "a tag: webhook: ignored"},
		{name: "ignored in part", err: errors.Join(webhook.ErrIgnored, errors.New("no disk")), outcome: "retry", reason: "webhook: ignored\nno disk", failed: true},
		{name: "postponed", err: webhook.Postpone(time.Minute, errors.New("breaker is open")), outcome: "postponed", reason: "breaker is open"},
		{name: "a duplicate", err: &webhook.DuplicateError{UID: "first"}, outcome: "duplicate", reason: (&webhook.DuplicateError{UID: "first"}).Error()},
		{name: "a panic", panics: "ouch", outcome: "retry", reason: "webhook: handler panicked: ouch", failed: true},
		{name: "a long text that is no UTF-8", err: errors.New(strings.Repeat("\xff", 1<<20)), outcome: "retry", reason: "\ufffd", failed: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := newTracer()
			h := tracer.Handler(webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
				if tt.panics != nil {
					panic(tt.panics)
				}
				return tt.err
			}))
			err := h.Handle(t.Context(), tracedDelivery())
			if tt.panics == nil && err != tt.err || tt.panics != nil && !errors.Is(err, webhook.ErrPanic) {
				t.Errorf("Handle = %v, want %v", err, tt.err)
			}
			s := one(t, spans, "process acme")
			got := attributes(s)
			if got["hookhouse.outcome"] != tt.outcome || got["hookhouse.reason"] != tt.reason {
				t.Errorf("outcome %q, reason %q; want %q and %q", got["hookhouse.outcome"], got["hookhouse.reason"], tt.outcome, tt.reason)
			}
			if (s.Status.Code == codes.Error) != tt.failed {
				t.Errorf("status %v, want a failure: %t", s.Status, tt.failed)
			}
		})
	}
}

// An error whose methods panic is the Worker's to handle.
func TestAnErrorThatPanicsIsAFailure(t *testing.T) {
	tracer, spans := newTracer()
	if err := tracer.Handler(returns((*nilError)(nil))).Handle(t.Context(), tracedDelivery()); !errors.Is(err, webhook.ErrPanic) {
		t.Errorf("Handle = %v, want a PanicError", err)
	}
	if s := one(t, spans, "process"); s.Status.Code != codes.Error {
		t.Errorf("status %v", s.Status)
	}
}

func TestTheProcessSpanIsAChildOfTheStoredOne(t *testing.T) {
	tracer, spans := newTracer()
	var inCallback trace.SpanContext
	h := tracer.Handler(webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		inCallback = trace.SpanContextFromContext(ctx)
		if baggage.FromContext(ctx).Len() > 0 {
			t.Error("the caller's baggage reached the callback")
		}
		return nil
	}))
	if err := h.Handle(t.Context(), tracedDelivery()); err != nil {
		t.Fatal(err)
	}
	s := one(t, spans, "process acme")
	if s.SpanKind != trace.SpanKindConsumer || s.SpanContext.TraceID().String() != callersTrace || s.Parent.SpanID().String() != callersSpan {
		t.Errorf("kind %v, trace %s, parent %s", s.SpanKind, s.SpanContext.TraceID(), s.Parent.SpanID())
	}
	if !inCallback.Equal(s.SpanContext) || inCallback.TraceState().String() != callersState {
		t.Errorf("the callback has %v, want the span", inCallback)
	}
	want := map[string]string{
		"messaging.system": "hookhouse", "messaging.operation.name": "process", "messaging.operation.type": "process",
		"messaging.destination.name": "acme", "messaging.message.id": "u1", "messaging.message.body.size": "2",
		"hookhouse.type": "acme.push", "hookhouse.ordering_key": "key", "hookhouse.outcome": "ok",
	}
	if diff := cmp.Diff(want, attributes(s)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestBaggageIsPassedOnIfThePropagatorReadsIt(t *testing.T) {
	tracer, _ := newTracer()
	tracer.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	user := ""
	_ = tracer.Handler(webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		user = baggage.FromContext(ctx).Member("user").Value()
		return nil
	})).Handle(t.Context(), tracedDelivery())
	if user != "alice" {
		t.Errorf("user %q", user)
	}
}

func TestHandlerKeepsTheTypesOfAMux(t *testing.T) {
	var mux webhook.Mux
	mux.Route("acme.push", returns(nil))
	mux.Route("acme.tag", returns(nil))
	tracer, _ := newTracer()
	router, ok := tracer.Handler(&mux).(webhook.Router)
	if !ok || !slices.Equal(router.Types(), []string{"acme.push", "acme.tag"}) {
		t.Errorf("%T is not a Router of both types", tracer.Handler(&mux))
	}
}

// A Worker's context may have a span. The parent is still the request.
func TestAnAttemptHasALinkToTheSpanOfTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer, spans := newTracer()
		in := &webhook.MemInbox{}
		if err := in.Put(t.Context(), tracedDelivery()); err != nil {
			t.Fatal(err)
		}
		ctx, outer := tracer.Provider.Tracer("test").Start(t.Context(), "run")
		ctx, cancel := context.WithCancel(ctx)
		w := webhook.NewWorker(in, tracer.Handler(returns(nil)))
		w.Logger, w.Observer = quiet(), tracer.Observer()
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		synctest.Wait()
		cancel()
		<-ended
		s := one(t, spans, "process")
		if s.SpanContext.TraceID().String() != callersTrace || len(s.Links) != 1 || !s.Links[0].SpanContext.Equal(outer.SpanContext()) {
			t.Errorf("trace %s, links %v", s.SpanContext.TraceID(), s.Links)
		}
		settled := one(t, spans, "settle acme")
		got := attributes(settled)
		if settled.SpanKind != trace.SpanKindClient || settled.Parent.SpanID().String() != callersSpan ||
			got["hookhouse.state"] != "done" || got["hookhouse.attempt"] != "1" || got["hookhouse.last"] != "false" {
			t.Errorf("settle span of kind %v with parent %s and %v", settled.SpanKind, settled.Parent.SpanID(), got)
		}
		if _, ok := got["hookhouse.reason"]; ok || settled.Status.Code == codes.Error {
			t.Errorf("settle span has status %v and %v", settled.Status, got)
		}
	})
}

func TestADeadDeliveryIsAFailedSettlement(t *testing.T) {
	for state, failed := range map[webhook.State]bool{webhook.Done: false, webhook.Waiting: false, webhook.Superseded: false, webhook.Ignored: false, webhook.Dead: true} {
		tracer, spans := newTracer()
		o := webhook.Outcome{State: state, Reason: "no disk"}
		tracer.Observer().Settled(t.Context(), webhook.Claim{Delivery: tracedDelivery()}, o, time.Second)
		s := one(t, spans, "settle acme")
		got := attributes(s)
		if (s.Status.Code == codes.Error) != failed || got["hookhouse.state"] != string(state) || got["hookhouse.reason"] != "no disk" {
			t.Errorf("%s: status %v, attributes %v", state, s.Status, got)
		}
	}
}

func TestALostClaimIsAFailedSettlement(t *testing.T) {
	tracer, spans := newTracer()
	tracer.Observer().Lost(t.Context(), webhook.Claim{Delivery: tracedDelivery(), Attempt: 3})
	s := one(t, spans, "settle acme")
	if s.Status.Code != codes.Error || s.Status.Description != "webhook: claim lost" || attributes(s)["hookhouse.attempt"] != "3" {
		t.Errorf("status %v, attributes %v", s.Status, attributes(s))
	}
}

func TestInjectPutsTheSpanIntoADelivery(t *testing.T) {
	tracer, spans := newTracer()
	next := webhook.NewDelivery("mine", "mine.mail", "", nil)
	tracer.Inject(t.Context(), next)
	if next.Header != nil {
		t.Errorf("without a span the header is %v", next.Header)
	}
	_ = tracer.Handler(webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		tracer.Inject(ctx, next)
		return nil
	})).Handle(t.Context(), tracedDelivery())
	s := one(t, spans, "process acme")
	if want := "00-" + callersTrace + "-" + s.SpanContext.SpanID().String() + "-01"; next.Header.Get("Traceparent") != want {
		t.Errorf("Traceparent %q, want %q", next.Header.Get("Traceparent"), want)
	}
}

func TestMisusePanics(t *testing.T) {
	for name, misuse := range map[string]func(){
		"a nil http.Handler": func() { new(hookotel.Tracer).Receive(nil) },
		"a nil Handler":      func() { new(hookotel.Tracer).Handler(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
}

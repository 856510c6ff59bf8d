package otel_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/hookhouse/hookhouse/webhook"
	hookotel "github.com/hookhouse/hookhouse/webhook/otel"
)

// The trace context of a caller, from https://www.w3.org/TR/trace-context/.
const (
	callersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan   = "00f067aa0ba902b7"
	callersParent = "00-" + callersTrace + "-" + callersSpan + "-01"
	callersState  = "congo=t61rcWkgMzE"
)

// newTracer returns a Tracer and what has its spans when they have ended.
func newTracer() (*hookotel.Tracer, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	return &hookotel.Tracer{Provider: trace.NewTracerProvider(trace.WithSyncer(spans))}, spans
}

// acme is a sender.
func acme() webhook.Source {
	return webhook.Source{
		Name:     "acme",
		Verifier: &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret("secret"))},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{Type: "acme.push", ID: r.Header.Get("X-Id"), OrderingKey: "key"}
		},
	}
}

// callOf returns a signed call of acme with the trace context of the caller.
func callOf(t testing.TB, id string) *http.Request {
	t.Helper()
	r, err := signedCall(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signedCall(id string) (*http.Request, error) {
	r := httptest.NewRequest("POST", "/hooks/acme", strings.NewReader("{}"))
	r.Header.Set("X-Id", id)
	r.Header.Set("Traceparent", callersParent)
	r.Header.Set("Tracestate", callersState)
	return r, acme().Verifier.(webhook.Signer).Sign(r, []byte("{}"))
}

// receiver returns a Receiver of acme with the Observer of the Tracer.
func receiver(tracer *hookotel.Tracer, h webhook.Handler) *webhook.Receiver {
	rc := webhook.NewReceiver(acme(), h)
	rc.Logger, rc.Observer = quiet(), tracer.Observer()
	return rc
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func serve(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// attributes returns those of a span as text.
func attributes(s tracetest.SpanStub) map[string]string {
	got := make(map[string]string)
	for _, a := range s.Attributes {
		got[string(a.Key)] = a.Value.String()
	}
	return got
}

// named returns the spans whose name begins so.
func named(spans tracetest.SpanStubs, prefix string) (got tracetest.SpanStubs) {
	for _, s := range spans {
		if strings.HasPrefix(s.Name, prefix) {
			got = append(got, s)
		}
	}
	return got
}

// one returns the only span whose name begins so.
func one(t *testing.T, spans *tracetest.InMemoryExporter, prefix string) tracetest.SpanStub {
	t.Helper()
	got := named(spans.GetSpans(), prefix)
	if len(got) != 1 {
		t.Fatalf("%d spans %q, want one", len(got), prefix)
	}
	return got[0]
}

// returns is a Handler that returns an error.
func returns(err error) webhook.Handler {
	return webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return err })
}

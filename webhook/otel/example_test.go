package otel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/hookhouse/hookhouse/webhook"
	hookotel "github.com/hookhouse/hookhouse/webhook/otel"
)

// A service whose callback fails once. The spans of the request, of both attempts and of
// their settlements belong to the trace of the caller. A program has an exporter of its
// tracing system in place of the one here, which keeps the spans in memory.
func Example() {
	spans := tracetest.NewInMemoryExporter()
	tracer := &hookotel.Tracer{Provider: trace.NewTracerProvider(trace.WithSyncer(spans))}

	done := make(chan struct{})
	var mux webhook.Mux
	mux.Route("acme.push", webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
		if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
			return webhook.RetryAfter(time.Millisecond, errors.New("no network"))
		}
		close(done)
		return nil
	}))
	inbox := &webhook.MemInbox{}
	receiver := webhook.NewReceiver(acme(), webhook.Store(inbox))
	worker := webhook.NewWorker(inbox, tracer.Handler(&mux))
	receiver.Observer, worker.Observer = tracer.Observer(), tracer.Observer()
	receiver.Logger, worker.Logger = quiet(), quiet()
	hooks := http.NewServeMux()
	hooks.Handle("/hooks/acme", tracer.Receive(receiver))

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	call, err := signedCall("id-1") // with the Traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
	if err != nil {
		fmt.Println(err)
	}
	hooks.ServeHTTP(httptest.NewRecorder(), call)
	<-done
	stop()
	<-ended

	for _, s := range spans.GetSpans() {
		fmt.Println(s.SpanContext.TraceID(), s.Name)
	}
	// Unordered output:
	// 4bf92f3577b34da6a3ce929d0e0e4736 receive /hooks/acme
	// 4bf92f3577b34da6a3ce929d0e0e4736 process acme
	// 4bf92f3577b34da6a3ce929d0e0e4736 settle acme
	// 4bf92f3577b34da6a3ce929d0e0e4736 process acme
	// 4bf92f3577b34da6a3ce929d0e0e4736 settle acme
}

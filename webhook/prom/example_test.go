package prom_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A whole service with metrics: one delivery is received and handled, and then the metrics
// are read as Prometheus reads them.
func Example() {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	source := webhook.Source{
		Name:     "acme",
		Verifier: &webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(webhook.NewSecret("secret"))},
		Describe: func(*http.Request, []byte) webhook.Description { return webhook.Description{Type: "acme.push"} },
	}
	handled := make(chan struct{})
	var mux webhook.Mux
	mux.Route("acme.push", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		close(handled)
		return nil
	}))
	inbox := &webhook.MemInbox{} // or a sqlinbox.Inbox, with m.InboxObserver as its Observer
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	worker := webhook.NewWorker(inbox, &mux)
	receiver.Logger, worker.Logger = log, log

	m := prom.New(mux.Types()...)
	receiver.Observer = webhook.MultiObserver(m.Observer(), webhook.LogObserver(log))
	worker.Observer = m.Observer()
	metrics := prom.Handler(m, m.Stats(inbox), prom.Health(map[string]*webhook.Worker{"main": worker}))

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	call := httptest.NewRequest("POST", "/hooks/acme", strings.NewReader("{}"))
	if err := source.Verifier.(webhook.Signer).Sign(call, []byte("{}")); err != nil {
		fmt.Println(err)
	}
	receiver.ServeHTTP(httptest.NewRecorder(), call)
	<-handled
	stop()
	<-ended

	answer := httptest.NewRecorder()
	metrics.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		for _, name := range []string{"hookhouse_received_total", "hookhouse_attempts_total", "hookhouse_stored", "hookhouse_worker_running"} {
			if strings.HasPrefix(line, name) {
				fmt.Print(line)
			}
		}
	}
	// Output:
	// hookhouse_attempts_total{state="done",type="acme.push"} 1
	// hookhouse_received_total{outcome="accepted",source="acme",type="acme.push"} 1
	// hookhouse_stored_deliveries{state="done",type="acme.push"} 1
	// hookhouse_worker_running{worker="main"} 0
}

package standby

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A child is a process of its own: a receiver, or a worker.
type child struct {
	DSN   string
	Works bool // or else it receives
}

func (c child) run(ctx context.Context) error {
	db, err := engine.Store{Driver: "pgx", DSN: c.DSN}.Open()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	in := sqlinbox.New(db, sqlinbox.PostgreSQL)
	in.RequireStandby = true
	defer in.Close()
	if err := in.Check(ctx); err != nil {
		return err
	}
	if c.Works {
		process.Ready("")
		return work(ctx, in)
	}
	return receive(ctx, in)
}

// work runs deliveries until ctx ends.
func work(ctx context.Context, in *sqlinbox.Inbox) error {
	w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		process.Print(line(begun, d.ID))
		if err := wait.Part(ctx, 10*time.Millisecond); err != nil {
			return err
		}
		process.Print(line(handled, d.ID))
		return nil
	}))
	w.Lease = 3 * time.Second
	w.Observer = &webhook.Observer{Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
		if o.State.Final() {
			process.Print(line(settled, c.Delivery.ID))
		}
	}}
	if err := w.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// receive serves /hooks until ctx ends.
func receive(ctx context.Context, in *sqlinbox.Inbox) error {
	source := webhook.Source{
		Name:     "machines",
		Verifier: token(),
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.Header.Get("X-Delivery"), Type: "machines.entry", OrderingKey: r.Header.Get("X-Key")}
		},
	}
	routes := http.NewServeMux()
	routes.Handle("/hooks", webhook.NewReceiver(source, webhook.Store(in)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	process.Ready(listener.Addr().String())
	return webhook.Serve(ctx, &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}, listener)
}

func token() *webhook.Token {
	return &webhook.Token{Header: "X-Token", Keys: []webhook.Key{{Label: "test", Secret: webhook.NewSecret("only these tests know it")}}}
}

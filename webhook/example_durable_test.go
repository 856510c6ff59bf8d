package webhook_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Build is the payload of this example.
type Build struct {
	ID     int    `json:"id"`
	Status string `json:"status"`
}

func (Build) EventType() string { return "ci.build" }

// ciSource describes a sender that cannot sign: a token in the path.
func ciSource(tokens ...webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:     "ci",
		Verifier: &webhook.Token{PathValue: "token", Keys: webhook.Keys(tokens...)},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{Type: "ci.build", ID: r.Header.Get("X-Build-Call")}
		},
	}
}

// serve is a complete durable service: it stores, then acknowledges, and
// drains when ctx ends. A real one has an inbox on a database instead of
// MemInbox, and closes the database last.
func serve(ctx context.Context, listener net.Listener, inbox webhook.Inbox, handler webhook.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/hooks/ci/{token}", webhook.NewReceiver(ciSource(webhook.NewSecret("s3cret")), webhook.Store(inbox)))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	return webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, handler))
}

func Example_durable() {
	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext in a real one
	defer stop()
	var handler webhook.Mux
	webhook.On(&handler, func(_ context.Context, e *webhook.Event[Build]) error {
		fmt.Printf("build %d %s\n", e.Payload.ID, e.Payload.Status)
		stop()
		return nil
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- serve(ctx, listener, new(webhook.MemInbox), &handler) }()

	resp, err := http.Post("http://"+listener.Addr().String()+"/hooks/ci/s3cret", "application/json",
		strings.NewReader(`{"id": 42, "status": "passed"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	fmt.Println(<-done)
	// Unordered output:
	// 202 Accepted
	// build 42 passed
	// <nil>
}

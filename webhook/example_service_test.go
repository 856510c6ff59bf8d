package webhook_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Behind a load balancer that probes /readyz every 2 s and needs three failures: requests
// are accepted for 7 s after the signal to end. The supervisor must wait for 7 s and 30 s
// before it kills the process.
func ExampleService() {
	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext in a real one
	defer stop()
	inbox := new(webhook.MemInbox)
	var handler webhook.Mux
	handler.Route("ci.build", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	worker := webhook.NewWorker(inbox, &handler)
	worker.ShutdownTimeout = 20 * time.Second
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}

	routes := http.NewServeMux()
	service := &webhook.Service{
		Server:          &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second},
		Listener:        listener,
		Runners:         []webhook.Runner{worker},
		ShutdownDelay:   7 * time.Second,
		ShutdownTimeout: 20 * time.Second,
	}
	health := webhook.HealthHandler(inbox, worker)
	routes.Handle("/hooks/ci/{token}", webhook.NewReceiver(ciSource(webhook.NewSecret("s3cret")), webhook.Store(inbox)))
	routes.Handle("/healthz", health)                      // for the supervisor: does it work?
	routes.Handle("/readyz", service.ReadyHandler(health)) // for the load balancer: send requests?

	service.ShutdownDelay = 0 // the example does not wait
	stop()
	fmt.Println(service.Run(ctx))
	// Output: <nil>
}

package lines

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

func serveHookhouse(ctx context.Context, listener net.Listener, inbox webhook.Inbox, secret webhook.Secret, deploy deployer) error {
	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
		if branch, ok := e.Payload.Branch(); ok && !e.Payload.IsDeleted() {
			return deploy(ctx, branch, e.Payload.After)
		}
		return nil
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	return webhook.Serve(ctx, &server, listener, webhook.NewWorker(inbox, &mux))
}

package lines

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	playground "github.com/go-playground/webhooks/v6/github"
)

func servePlayground(ctx context.Context, listener net.Listener, secret string, deploy deployer) error {
	hook, err := playground.New(playground.Options.Secret(secret))
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/hooks/github", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 25<<20)
		payload, err := hook.Parse(r, playground.PushEvent)
		switch {
		case errors.Is(err, playground.ErrEventNotFound): // another event
		case err != nil:
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		default:
			push, ok := payload.(playground.PushPayload)
			if branch, found := strings.CutPrefix(push.Ref, "refs/heads/"); ok && found && !push.Deleted {
				if err := deploy(r.Context(), branch, push.After); err != nil {
					http.Error(w, "failed", http.StatusInternalServerError)
					return
				}
			}
		}
		w.WriteHeader(http.StatusAccepted)
	})
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() { drained <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}

package lines

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

func serveGoGitHub(ctx context.Context, listener net.Listener, secret []byte, deploy deployer) error {
	routes := http.NewServeMux()
	routes.HandleFunc("/hooks/github", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 25<<20)
		body, err := gogithub.ValidatePayload(r, secret)
		if err != nil {
			http.Error(w, "not verified", http.StatusUnauthorized)
			return
		}
		event, err := gogithub.ParseWebHook(gogithub.WebHookType(r), body)
		if err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		if push, ok := event.(*gogithub.PushEvent); ok && !push.GetDeleted() {
			if branch, ok := strings.CutPrefix(push.GetRef(), "refs/heads/"); ok {
				if err := deploy(r.Context(), branch, push.GetAfter()); err != nil {
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

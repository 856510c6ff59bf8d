package publishing

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/kzelealem/hookbound"
	"github.com/kzelealem/hookbound/postgres"
)

func publishHookbound(ctx context.Context, listener net.Listener, db *sql.DB, store *postgres.Store, runtime *postgres.Runtime, endpoints []endpoint) error {
	leave := func(ctx context.Context, text string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "INSERT INTO comments (text) VALUES ($1)", text); err != nil {
			return err
		}
		body, err := hookbound.JSONBody(map[string]string{"text": text})
		if err != nil {
			return err
		}
		for _, e := range endpoints {
			request := hookbound.SendRequest{URL: e.URL, EventType: "comment.created", Body: body}
			if _, err := store.EnqueueTx(ctx, tx, request); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /comments", func(w http.ResponseWriter, r *http.Request) {
		respond(w, leave(r.Context(), r.FormValue("text")))
	})
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- runtime.Run(ctx) }()
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() { drained <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-drained, <-ended)
}

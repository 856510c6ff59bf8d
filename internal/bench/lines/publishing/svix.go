package publishing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

func publishSvix(ctx context.Context, listener net.Listener, db *sql.DB, api *svix.Svix, app string) error {
	inTx := func(ctx context.Context, f func(tx *sql.Tx) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /comments", func(w http.ResponseWriter, r *http.Request) {
		respond(w, inTx(r.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(r.Context(), "INSERT INTO comments (text) VALUES ($1)", r.FormValue("text")); err != nil {
				return err
			}
			_, err := tx.ExecContext(r.Context(), "INSERT INTO events (text) VALUES ($1)", r.FormValue("text"))
			return err
		}))
	})
	relay := func(tx *sql.Tx) error {
		var id int64
		var text string
		if err := tx.QueryRowContext(ctx, "SELECT id, text FROM events ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&id, &text); err != nil {
			return err
		}
		event := svix.MessageIn{EventType: "comment.created", EventId: svix.String(fmt.Sprint("comment-", id)), Payload: map[string]any{"text": text}}
		_, err := api.Message.Create(ctx, app, &event)
		if known, ok := errors.AsType[*svix.Error](err); err != nil && !(ok && known.Status() == http.StatusConflict) {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM events WHERE id = $1", id)
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			err := inTx(ctx, relay)
			if err == nil {
				continue
			}
			if !errors.Is(err, sql.ErrNoRows) && ctx.Err() == nil {
				slog.Error("event not sent", "reason", err)
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}()
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() { drained <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return <-drained
}

package publishing

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func publishComments(ctx context.Context, listener net.Listener, inbox *sqlinbox.Inbox, pub *publish.Publisher) error {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /comments", func(w http.ResponseWriter, r *http.Request) {
		respond(w, inbox.Write(r.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO comments (text) VALUES ($1)", r.FormValue("text"))
			if err != nil {
				return err
			}
			_, err = pub.PublishTx(ctx, tx, publish.Event{Type: "comment.created", Payload: map[string]string{"text": r.FormValue("text")}})
			return err
		}))
	})
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	return webhook.Serve(ctx, &server, listener, pub)
}

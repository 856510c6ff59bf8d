package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A program that publishes an event in the transaction that writes its row: both are
// committed, or neither.
func Example_publish() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sql.Open("sqlite", "file:comments.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	defer inbox.Close()
	store := sqlstore.New(inbox)
	if err := errors.Join(inbox.Migrate(ctx), store.Migrate(ctx)); err != nil {
		log.Fatal(err)
	}
	pub := publish.New(inbox, store)
	http.HandleFunc("POST /comments", func(w http.ResponseWriter, r *http.Request) {
		err := inbox.Write(r.Context(), func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO comments (text) VALUES (?)", r.FormValue("text")); err != nil {
				return err
			}
			_, err := pub.PublishTx(ctx, tx, publish.Event{Type: "comment.created", Payload: map[string]string{"text": r.FormValue("text")}})
			return err
		})
		if err != nil {
			http.Error(w, "not stored", http.StatusServiceUnavailable)
		}
	})
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	log.Println(webhook.Serve(ctx, &http.Server{}, listener, pub))
}

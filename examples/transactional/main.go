// Transactional counts JobServ's builds per project in the database that also
// holds the inbox. It commits the count and the settlement of the delivery
// together, so no build is counted twice, even if the process is killed. To start
// your own program from it, copy the folder as described in the README of the
// examples.
//
//	export JOBSERV_WEBHOOK_SECRET=$(openssl rand -hex 32)
//	go run ./transactional
package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// _txlock=immediate makes every transaction a writer from its start. A
// transaction that has only read cannot become a writer while the inbox writes.
const database = "file:transactional.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "transactional:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	secret := webhook.NewSecret(os.Getenv("JOBSERV_WEBHOOK_SECRET"))
	if secret.IsZero() {
		return errors.New("JOBSERV_WEBHOOK_SECRET is not set")
	}
	db, err := sql.Open("sqlite", database)
	if err != nil {
		return err
	}
	defer db.Close() // after the inbox
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	defer inbox.Close()
	if err := inbox.Migrate(ctx); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS builds (project TEXT PRIMARY KEY, count INTEGER NOT NULL)`); err != nil {
		return err
	}

	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
		return count(ctx, inbox, e.Payload.Project())
	})

	routes := http.NewServeMux()
	routes.Handle("/hooks/jobserv", webhook.NewReceiver(jobserv.Source(secret), webhook.Store(inbox)))
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), ":8080"))
	if err != nil {
		return err
	}
	log.Println("listening on", listener.Addr())

	worker := webhook.NewWorker(inbox, &mux)
	worker.Lease = 3 * time.Second // the delay before a killed process's deliveries run again

	return webhook.Serve(ctx, &server, listener, worker)
}

// count commits the count and the settlement in one transaction. Do slow work
// before InTx: while the transaction is open, nothing else can write.
func count(ctx context.Context, inbox *sqlinbox.Inbox, project string) error {
	var n int
	err := inbox.InTx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO builds VALUES (?, 1)
			ON CONFLICT (project) DO UPDATE SET count = count + 1 RETURNING count`, project).Scan(&n)
	})
	if err != nil {
		return err
	}
	fmt.Println(project, "was built", n, "times")
	return nil
}

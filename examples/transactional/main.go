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
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

const usage = `Counts the builds that JobServ sends to POST /hooks/jobserv, in the database of the deliveries.
GET /healthz answers 503, with the reason, if builds cannot be stored or counted.

    JOBSERV_WEBHOOK_SECRET       secret of the webhook, at least 16 characters; to rotate it, write the new and the old
                                 one on separate lines
    JOBSERV_WEBHOOK_SECRET_FILE  file with the secret, instead
    INSPECTOR_PASSWORD           password of the inspector, or INSPECTOR_PASSWORD_FILE; not needed if -admin-addr is on
                                 this machine alone, such as 127.0.0.1:8081

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "transactional:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("transactional", flag.ContinueOnError)
	addr := flags.String("addr", ":8080", "address to listen on")
	adminAddr := flags.String("admin-addr", "", "address for /healthz and the inspector, /inspect/; if empty, -addr serves /healthz")
	database := flags.String("db", "transactional.db", "SQLite file or postgres:// URL")
	check := flags.Bool("check", false, "check the secrets and the database, and exit")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := parseFlags(flags, usage, os.Stderr, args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: only flags are accepted; see -help", flags.Arg(0))
	case *showVersion:
		fmt.Println("transactional", version())
		return nil
	}
	log := slog.Default()
	secrets, err := readSecrets(os.Getenv, "JOBSERV_WEBHOOK_SECRET")
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return errors.New("JOBSERV_WEBHOOK_SECRET is not set; create one: openssl rand -hex 32")
	}
	logSecrets(log, "JOBSERV_WEBHOOK_SECRET", secrets)
	guard, err := readGuard(os.Getenv, *adminAddr)
	if err != nil {
		return err
	}
	if *check {
		if err := checkStore(ctx, *database); err != nil {
			return fmt.Errorf("-db: %w", err)
		}
		log.Info("the secrets and the database are fine")
		return nil
	}
	inbox, err := openStore(ctx, *database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer inbox.close()
	if _, err := inbox.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS builds (project TEXT PRIMARY KEY, count INTEGER NOT NULL)`); err != nil {
		return fmt.Errorf("-db: %w", err)
	}

	mux := webhook.Mux{IgnoreUnhandled: true}
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
		return count(ctx, inbox, e.Payload.Project())
	})
	worker := webhook.NewWorker(inbox, &mux)
	worker.Lease = 3 * time.Second // the delay before a killed process's deliveries run again

	inspector, err := inspect.New(inbox, guard.protect)
	if err != nil {
		return err
	}
	inspector.Summarize = jobserv.Summary
	source := jobserv.Source(secrets...)
	public, private := http.NewServeMux(), http.NewServeMux()
	if *adminAddr == "" {
		private = public
	}
	public.Handle("/hooks/jobserv", inspector.Watch(source, webhook.NewReceiver(source, webhook.Store(inbox))))
	private.Handle("GET /healthz", webhook.HealthHandler(inbox, worker))
	public.Handle("/", &wrongPath{log: log})
	runners := []webhook.Runner{worker}
	admin, err := listenAdmin(*adminAddr, private, inspector, log)
	if err != nil {
		return err
	}
	if admin != nil {
		runners = append(runners, admin)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return webhook.Serve(ctx, newServer(public, log), listener, runners...)
}

// count commits the count and the settlement in one transaction. Do slow work
// before InTx: while the transaction is open, nothing else can write.
func count(ctx context.Context, inbox *store, project string) error {
	var n int
	err := inbox.InTx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO builds VALUES ($1, 1)
			ON CONFLICT (project) DO UPDATE SET count = builds.count + 1 RETURNING count`, project).Scan(&n)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%q was built %d times\n", project, n)
	return nil
}

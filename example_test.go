package hookhouse_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func serve(ctx context.Context, listener net.Listener, inbox webhook.Inbox, secret webhook.Secret) error {
	mux := webhook.Mux{IgnoreUnhandled: true} // what has no callback ends as ignored
	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
		if branch, ok := e.Payload.Branch(); ok && !e.Payload.IsDeleted() {
			return deploy(ctx, branch, e.Payload.After)
		}
		return nil
	})
	source := github.Source(secret)
	source.CoalesceTypes = map[string]webhook.Coalesce{github.Push{}.EventType(): webhook.NewestOnly()}
	routes := http.NewServeMux()
	routes.Handle("/hooks/github", webhook.NewReceiver(source, webhook.Store(inbox)))
	server := http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}

	return webhook.Serve(ctx, &server, listener, webhook.NewWorker(inbox, &mux))
}

func openInbox(ctx context.Context) (*sqlinbox.Inbox, error) {
	db, err := sql.Open("sqlite", "file:hookhouse.db?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	inbox := sqlinbox.New(db, sqlinbox.SQLite)
	return inbox, inbox.Migrate(ctx)
}

var deployed = make(chan string, 1)

func deploy(_ context.Context, branch, commit string) error {
	deployed <- branch + " at " + commit
	return nil
}

// A push is verified, stored, acknowledged, and then handed to the callback.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	secret := webhook.NewSecret("It's a Secret to Everybody")
	stopped := make(chan error)
	go func() { stopped <- serve(ctx, listener, new(webhook.MemInbox), secret) }()

	// What GitHub does.
	sender := webhooktest.GitHub{Secret: secret}
	body := []byte(`{"ref":"refs/heads/main","after":"9f3c1d7","repository":{"full_name":"acme/app"}}`)
	result := sender.Deliver(ctx, "http://"+listener.Addr().String()+"/hooks/github", "push", body)
	fmt.Println(result.Attempts[0].Status, <-deployed)

	stop()
	fmt.Println(<-stopped)
	// Output:
	// 202 main at 9f3c1d7
	// <nil>
}

// With an inbox in a database. The program imports its driver.
func Example_durable() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	inbox, err := openInbox(ctx)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(ctx, listener, inbox, webhook.NewSecret(os.Getenv("GITHUB_WEBHOOK_SECRET"))); err != nil {
		log.Fatal(err)
	}
}

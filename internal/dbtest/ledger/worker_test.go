package ledger_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/rpc"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A recorder is the account, in this process or over a connection.
type recorder interface {
	Begin(r Run, v *Verdict) error
	End(r Run, _ *struct{}) error
}

var errOnPurpose = errors.New("on purpose")

// callback reports each run and returns what the account wants.
func callback(to recorder) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		c, _ := webhook.ClaimFromContext(ctx)
		r := Run{Name: d.ID, UID: d.UID, Attempt: c.Attempt, Fence: c.Fence}
		var v Verdict
		if err := to.Begin(r, &v); err != nil {
			return err
		}
		if err := to.End(r, new(struct{})); err != nil {
			return err
		}
		switch v {
		case Fail:
			return errOnPurpose
		case FailHard:
			return webhook.Permanent(errOnPurpose)
		default:
			return nil
		}
	})
}

// work runs callbacks, up to n at once, until ctx ends.
func work(ctx context.Context, in webhook.Inbox, to recorder, n int) error {
	errs := make([]error, n/concurrency)
	var all sync.WaitGroup
	for i := range errs {
		w := webhook.NewWorker(in, callback(to))
		w.Concurrency, w.PollInterval = concurrency, 20*time.Millisecond
		w.Retry = webhook.Backoff{First: 5 * time.Millisecond, Max: 20 * time.Millisecond}
		w.Logger = slog.New(slog.DiscardHandler)
		all.Go(func() { errs[i] = w.Run(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// A remote is the account of another process.
type remote struct{ *rpc.Client }

func (r remote) Begin(run Run, v *Verdict) error   { return r.Call("Account.Begin", run, v) }
func (r remote) End(run Run, none *struct{}) error { return r.Call("Account.End", run, none) }

// serve lets other processes report to the account until the listener is closed.
func (a *account) serve(on net.Listener) error {
	server := rpc.NewServer()
	if err := server.RegisterName("Account", a); err != nil {
		return err
	}
	go func() {
		for {
			conn, err := on.Accept()
			if err != nil {
				return
			}
			go server.ServeConn(conn)
		}
	}()
	return nil
}

// A workerConfig configures a worker process.
type workerConfig struct {
	Store   engine.Store
	Account string // its address
	Workers int
}

// run works until ctx ends.
func (c workerConfig) run(ctx context.Context) error {
	client, err := rpc.Dial("tcp", c.Account)
	if err != nil {
		return err
	}
	defer client.Close()
	db, err := c.Store.Open()
	if err != nil {
		return err
	}
	defer db.Close()
	limitConns(db, c.Store)
	in := sqlinbox.New(db, c.Store.Dialect())
	if err := in.Check(ctx); err != nil {
		return err
	}
	process.Ready("")
	return errors.Join(work(ctx, in, remote{client}, c.Workers), in.Close())
}

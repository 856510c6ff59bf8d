package ledger

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/rpc"
	"os"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A book is the ledger, here or at the other end of a connection.
type book interface {
	Begin(r Run, v *Verdict) error
	End(r Run, _ *struct{}) error
}

var errOnPurpose = errors.New("on purpose")

// callback tells the book of each run and fails when it says so.
func callback(b book) webhook.Handler {
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		c, _ := webhook.ClaimFromContext(ctx)
		r := Run{Name: d.ID, UID: d.UID, Attempt: c.Attempt, Fence: c.Fence}
		var v Verdict
		if err := b.Begin(r, &v); err != nil {
			return err
		}
		if err := b.End(r, new(struct{})); err != nil {
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

// work runs n workers, a few of them to a Worker, until ctx ends.
func work(ctx context.Context, in webhook.Inbox, b book, n int) error {
	errs := make([]error, n/workersEach)
	var all sync.WaitGroup
	for i := range errs {
		w := webhook.NewWorker(in, callback(b))
		w.Concurrency, w.PollInterval = workersEach, 20*time.Millisecond
		w.Retry = webhook.Backoff{First: 5 * time.Millisecond, Max: 20 * time.Millisecond}
		w.Logger = slog.New(slog.DiscardHandler)
		all.Go(func() { errs[i] = w.Run(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// A remote is a book in another process.
type remote struct{ *rpc.Client }

func (r remote) Begin(run Run, v *Verdict) error   { return r.Call("Ledger.Begin", run, v) }
func (r remote) End(run Run, none *struct{}) error { return r.Call("Ledger.End", run, none) }

// workerProcess is what this program is when the ledger's process starts it:
// workers on a store until the standard input ends.
func workerProcess(s store, ledgerAddr string, n int) error {
	client, err := rpc.Dial("tcp", ledgerAddr)
	if err != nil {
		return err
	}
	defer client.Close()
	db, in, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if err := in.Check(context.Background()); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return errors.Join(work(ctx, in, remote{client}, n), in.Close())
}

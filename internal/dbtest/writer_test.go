package dbtest

import (
	"context"
	"database/sql"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An Observer that calls t.FailNow ends the goroutine.
func TestTheWriterSurvivesGoexitInTheObserver(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Observer = &sqlinbox.Observer{Batch: func(int, int, time.Duration, error) { runtime.Goexit() }}
		for range 3 {
			put(t, in, delivery("key"))
		}
		if n := count(t, db, "hookhouse_deliveries"); n != 3 {
			t.Errorf("%d stored, want 3", n)
		}
	})
}

// A driver that panics or ends the goroutine stands for any code in a transaction of
// the writer.
func TestAPanicInTheWriterFailsOneBatch(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for name, end := range map[string]func(){"a panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
			t.Run(name, func(t *testing.T) {
				driver, dsn := e.store(t)
				in, db, plan := openWatched(t, e, driver, dsn)
				put(t, in, delivery("key"))
				reached := beforeNth(plan, 1, isInsert, end)
				if err := in.Put(t.Context(), delivery("key")); err == nil {
					t.Error("Put returned no error")
				}
				if !reached() {
					t.Fatal("the driver did not panic")
				}
				put(t, in, delivery("key"))
				settle(t, in, claimOne(t, in), webhook.Done)
				if n := count(t, db, "hookhouse_deliveries"); n != 2 {
					t.Errorf("%d stored, want 2", n)
				}
			})
		}
	})
}

// inCallback puts a delivery and runs f as its callback.
func inCallback(t *testing.T, in *sqlinbox.Inbox, f func(ctx context.Context)) {
	t.Helper()
	put(t, in, delivery("of the callback"))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		if d.OrderingKey == "of the callback" {
			defer stop()
			f(ctx)
		}
		return nil
	}))
	wantNil(t, w.Run(ctx))
}

func TestACallbackThatHangsInInTxBlocksNobodyAfterItsContextEnds(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		inCallback(t, in, func(ctx context.Context) {
			late, end := context.WithCancel(ctx)
			hangs, goOn := make(chan struct{}), make(chan struct{})
			returned := make(chan error, 1)
			go func() {
				returned <- in.InTx(late, func(tx *sql.Tx) error {
					if _, err := tx.ExecContext(late, "INSERT INTO effects VALUES ('x')"); err != nil {
						t.Error(err)
					}
					close(hangs)
					<-goOn
					return nil
				})
			}()
			<-hangs
			end()
			put(t, in, delivery("another"))
			// What it does late is not committed, and blocks nobody.
			var turns sync.WaitGroup
			turns.Go(func() {
				if err := in.InTx(ctx, func(tx *sql.Tx) error {
					close(goOn)
					if err := <-returned; err == nil {
						t.Error("InTx returned no error after the end of its context")
					}
					_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('y')")
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			turns.Wait()
			put(t, in, delivery("another"))
		})
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects, want the one of the second", n)
		}
	})
}

func TestACallbackThatHangsInInTxIsLogged(t *testing.T) {
	in, _ := modernc.open(t)
	logged := make(chan string, 10)
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(writerFunc(func(text []byte) (int, error) {
		if strings.Contains(string(text), "InTx") {
			logged <- string(text)
		}
		return len(text), nil
	}), nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	inCallback(t, in, func(ctx context.Context) {
		late, end := context.WithCancel(ctx)
		if err := in.InTx(late, func(*sql.Tx) error {
			end()
			if text := <-logged; !strings.Contains(text, "has not returned") || !strings.Contains(text, "uid=uid") {
				t.Errorf("logged %s", text)
			}
			return nil
		}); err == nil {
			t.Error("InTx returned no error after the end of its context")
		}
	})
	if len(logged) > 0 {
		t.Errorf("logged again: %s", <-logged)
	}
}

type writerFunc func(text []byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

func TestGoexitInInTxBlocksNobody(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		inCallback(t, in, func(ctx context.Context) {
			var gone sync.WaitGroup
			gone.Go(func() {
				_ = in.InTx(ctx, func(*sql.Tx) error {
					runtime.Goexit()
					return nil
				})
			})
			gone.Wait()
			put(t, in, delivery("another"))
		})
	})
}

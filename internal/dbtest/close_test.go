package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A signal handler and a deferred call may both close the inbox.
func TestCloseMayBeCalledByManyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for range 20 {
			in, db := e.open(t)
			run(t, db, "CREATE TABLE IF NOT EXISTS effects (uid TEXT)")
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for _, do := range []func() error{
						func() error { return in.Put(t.Context(), delivery("key")) },
						func() error { return in.Write(t.Context(), insertEffect) },
					} {
						if err := do(); err != nil && !errors.Is(err, sqlinbox.ErrClosed) {
							t.Error(err)
						}
					}
					if err := in.Close(); err != nil {
						t.Error(err)
					}
					if err := in.Put(t.Context(), delivery("key")); !errors.Is(err, sqlinbox.ErrClosed) {
						t.Errorf("Put after Close returned %v", err)
					}
				})
			}
			all.Wait()
		}
	})
}

// It neither waits for the Write nor takes its connection away.
func TestAWriteUnderWayOutlivesClose(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		if err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			return insertEffect(ctx, tx)
		}); err != nil {
			t.Errorf("Write returned %v", err)
		}
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects, want 1", n)
		}
	})
}

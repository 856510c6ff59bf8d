package dbtest

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Put that waited for all of them would fail after five seconds.
func TestAPutWaitsForOneWriteHoweverManyThereAre(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			run(t, db, "CREATE TABLE effects (uid TEXT)")
			const writes = 100
			var begun, done atomic.Int64
			waiting := make(chan struct{})
			var all sync.WaitGroup
			for range writes {
				all.Go(func() {
					if err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
						if begun.Add(1) == 1 {
							<-waiting
						}
						time.Sleep(10 * time.Millisecond) // a slow program: it waits for no condition
						return insertEffect(ctx, tx)
					}); err != nil {
						t.Error(err)
					}
					done.Add(1)
				})
			}
			waitFor(t, "each Write waits with its connection", func() bool { return db.Stats().InUse >= writes })
			close(waiting)
			for range 3 {
				before := done.Load()
				put(t, in, delivery(""))
				if n := done.Load() - before; n > writes/5 {
					t.Errorf("a Put waited for %d Writes", n)
				}
			}
			all.Wait()
			if n := count(t, db, "effects"); n != writes {
				t.Errorf("%d effects, want %d", n, writes)
			}
		})
	}
}

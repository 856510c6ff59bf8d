package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// stuckKey returns an inbox with a key that has no head, and the deliveries of the
// key in order.
func stuckKey(t *testing.T, e engine) (*sqlinbox.Inbox, []*webhook.Delivery) {
	t.Helper()
	in, db := e.open(t)
	in.Logger = slog.New(slog.DiscardHandler)
	put(t, in, delivery("other"))
	stuck := []*webhook.Delivery{put(t, in, delivery("key")), put(t, in, delivery("key"))}
	run(t, db, "UPDATE hookhouse_deliveries SET state = 'blocked' WHERE ordering_key = 'key'")
	return in, stuck
}

func TestAStuckKeyIsRepaired(t *testing.T) {
	for name, free := range map[string]func(ctx context.Context, in *sqlinbox.Inbox, uid string) error{
		"by Check":   func(ctx context.Context, in *sqlinbox.Inbox, _ string) error { return in.Check(ctx) },
		"by Migrate": func(ctx context.Context, in *sqlinbox.Inbox, _ string) error { return in.Migrate(ctx) },
		"by Release": func(ctx context.Context, in *sqlinbox.Inbox, uid string) error { return in.Release(ctx, uid) },
		"by Sweep":   func(ctx context.Context, in *sqlinbox.Inbox, _ string) error { _, err := in.Sweep(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, e engine) {
				in, stuck := stuckKey(t, e)
				repaired := ""
				in.Observer = &sqlinbox.Observer{Repaired: func(_ context.Context, source, key string) { repaired += source + "/" + key }}
				var log strings.Builder
				in.Logger = slog.New(slog.NewTextHandler(&log, nil))
				must(t, free(t.Context(), in, stuck[1].UID))
				if repaired != "alpha/key" {
					t.Errorf("Repaired was called for %q, want the one key once", repaired)
				}
				if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "key=key") {
					t.Errorf("the log says %q", log.String())
				}
				claims := claim(t, in, 5)
				if len(claims) != 2 || claims[1].Delivery.UID != stuck[0].UID && claims[0].Delivery.UID != stuck[0].UID {
					t.Errorf("%d claims, want the other key's and the older of the stuck one", len(claims))
				}
			})
		})
	}
}

// A Worker sweeps when it starts and every minute.
func TestAWorkerRepairsAStuckKey(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := stuckKey(t, e)
		ctx, stop := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() {
			_ = webhook.NewWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil })).Run(ctx)
		})
		waitFor(t, "all three are done", func() bool {
			st, err := in.Stats(t.Context())
			return err == nil && st.Count[webhook.Done] == 3
		})
		stop()
		working.Wait()
	})
}

// The repair reads the keys page by page.
func TestEveryStuckKeyIsFoundAmongMany(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		in.Logger = slog.New(slog.DiscardHandler)
		var all sync.WaitGroup
		for n := range 1100 {
			all.Go(func() {
				for range 2 {
					d := delivery(fmt.Sprint("key", n))
					if n%2 == 0 {
						d.Source = "beta"
					}
					put(t, in, d)
				}
			})
		}
		all.Wait()
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'blocked' WHERE ordering_key IN ('key0', 'key1', 'key500', 'key999', 'key1098', 'key1099')")
		repaired := 0
		in.Observer = &sqlinbox.Observer{Repaired: func(context.Context, string, string) { repaired++ }}
		must(t, in.Check(t.Context()))
		if repaired != 6 {
			t.Errorf("%d keys were repaired, want 6", repaired)
		}
		if n := len(claim(t, in, 2000)); n != 1100 {
			t.Errorf("%d could be claimed, want one for each key", n)
		}
	})
}

// Two processes find the same stuck key. One promotes its delivery, which runs. The
// other has waited and must not promote it again.
func TestARepairDoesNotUndoAnother(t *testing.T) {
	e := onPostgres(t) // SQLite has one writer
	for _, became := range []string{"state = 'claimed', fence = fence + 1, lease_expires_at = 9e15", "state = 'done', finished_at = 1"} {
		in, db := e.open(t)
		in.Logger = slog.New(slog.DiscardHandler)
		d := put(t, in, delivery("key"))
		run(t, db, "UPDATE hookhouse_deliveries SET state = 'blocked'")
		tx := begin(t, db)
		if _, err := tx.ExecContext(t.Context(), "UPDATE hookhouse_deliveries SET "+became); err != nil {
			t.Fatal(err)
		}
		repaired := make(chan error, 1)
		go func() { repaired <- in.Check(t.Context()) }()
		waitFor(t, "the repair waits", func() bool { return count(t, db, "pg_locks WHERE NOT granted") > 0 })
		commit(t, tx)
		wantNil(t, <-repaired)
		if s := stateOf(t, in, d.UID); s == webhook.Waiting {
			t.Errorf("after it became %q it waits again", became)
		}
	}
}

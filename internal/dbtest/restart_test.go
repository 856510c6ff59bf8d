package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Another delivery of the ordering key comes before one of the statements that
// restart a delivery, by a Put or from a process that takes no lock, and runs
// and is finished before a later one, for each two of them.
func TestAKeyHasAHeadWhateverComesWhileOneIsRestarted(t *testing.T) {
	if theServer == nil {
		return // SQLite lets nobody in between
	}
	e := onPostgres(theServer)
	replay := func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
		_, err := in.Replay(ctx, webhook.Filter{UID: d.UID}, webhook.Note{By: "ann"})
		return err
	}
	for _, way := range []struct {
		name    string
		quiet   time.Duration
		restart func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error
	}{
		{"by a replay", 0, replay},
		{"by a replay of one that coalesces", time.Microsecond, replay},
		{"by a redelivery", 0, func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
			err := in.Put(ctx, delivery(d.OrderingKey, d.DedupKeys...))
			if known := new(webhook.DuplicateError); errors.As(err, &known) && known.Revived {
				return nil
			}
			return err
		}},
	} {
		for _, locks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the other locks: %t", way.name, locks), func(t *testing.T) {
				driver, dsn := e.store(t)
				in, _, plan := watched(t, e, driver, dsn)
				other, db, others := watched(t, e, driver, dsn)
				comes, finishes := 1, 1
				for {
					key := fmt.Sprintf("key %d %d", comes, finishes)
					d := delivery(key, "dedup key of "+key)
					d.Coalesce.Quiet = way.quiet
					put(t, other, d)
					bury(t, other)
					var came chan error
					seen := 0
					plan.Watch(func(string) {
						seen++
						if seen == comes {
							came, _ = settledOrTried(t, others, func() error {
								if !locks {
									return putWithoutLock(t, db, delivery(key))
								}
								return other.Put(t.Context(), delivery(key))
							})
						}
						if seen == finishes {
							for _, c := range claim(t, other, 1) {
								settle(t, other, c, webhook.Done)
							}
						}
					}, nil)
					err := way.restart(t.Context(), in, d)
					plan.Watch(nil, nil)
					if err != nil && !errors.Is(err, webhook.ErrState) {
						t.Errorf("%s: restarting returned %v", key, err)
					}
					if came != nil {
						if err := <-came; err != nil && locks {
							t.Errorf("%s: the other returned %v", key, err)
						}
					}
					if left := workOff(t, in); left > 0 {
						t.Fatalf("%s: %d are stuck", key, left)
					}
					switch finishes++; {
					case seen < comes:
						if comes < 4 {
							t.Errorf("restarted with %d statements", seen)
						}
						return
					case seen < finishes:
						comes++
						finishes = comes
					}
				}
			})
		}
	}
}

// bury claims what can be claimed, one that coalesces soon, and settles it as dead.
func bury(t *testing.T, in *sqlinbox.Inbox) {
	t.Helper()
	waitFor(t, "it can be claimed", func() bool {
		claims := claim(t, in, 1)
		for _, c := range claims {
			settle(t, in, c, webhook.Dead)
		}
		return len(claims) == 1
	})
}

// putWithoutLock stores d as the head of its key, unless there is one. It does
// not wait.
func putWithoutLock(t *testing.T, db *sql.DB, d *webhook.Delivery) error {
	t.Helper()
	tx := begin(t, db)
	_, err := tx.ExecContext(t.Context(), "SET LOCAL lock_timeout = '20ms'")
	if err == nil {
		_, err = tx.ExecContext(t.Context(), `WITH d AS (
			INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, state, received_at, due_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size)
			VALUES ($1, 'alpha', '', 'alpha.push', $2, '', 'waiting', 1, 1, 0, 0, 1, 0) RETURNING id)
			INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, '{}', '' FROM d`, d.UID, d.OrderingKey)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

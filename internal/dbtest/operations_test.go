package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// operations are calls of an inbox. They return no error that may occur.
var operations = map[string]func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, db *sql.DB) error{
	"Put": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		return c.put(ctx, in, c.delivery())
	},
	"Puts at once": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		answers := make(chan error, 3)
		for _, d := range []*webhook.Delivery{c.delivery(), c.delivery("m" + c.key), c.delivery()} {
			go func() { answers <- c.put(ctx, in, d) }()
		}
		return errors.Join(<-answers, <-answers, <-answers)
	},
	"Put of a burst": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		d := c.delivery()
		d.Coalesce.Quiet = time.Microsecond
		return c.put(ctx, in, d)
	},
	"redelivery": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		return c.put(ctx, in, c.delivery("m"+c.key))
	},
	"PutTx": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		d := c.delivery()
		if err := in.PutTx(ctx, tx, d); err != nil {
			if strings.Contains(err.Error(), "came in between") || strings.Contains(err.Error(), "SQLSTATE 23") {
				return nil
			}
			return err
		}
		return tx.Commit()
	},
	"Settle": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		return settleAll(ctx, in, c.claims, webhook.Outcome{State: webhook.Done})
	},
	"put back": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		return settleAll(ctx, in, c.claims, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true})
	},
	"work": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		claims, err := c.claim(ctx, in, time.Hour)
		if err != nil {
			return err
		}
		return settleAll(ctx, in, claims, webhook.Outcome{State: webhook.Done})
	},
	"Replay": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Replay(ctx, webhook.Filter{OrderingKey: c.key}, webhook.Note{By: "ann"})
		return err
	},
	"Replay and work": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Replay(ctx, webhook.Filter{OrderingKey: c.key}, webhook.Note{By: "ann"})
		for range 3 {
			claims, failed := c.claim(ctx, in, time.Hour)
			err = errors.Join(err, failed, settleAll(ctx, in, claims, webhook.Outcome{State: webhook.Dead}))
		}
		return err
	},
	"Release": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		if c.last == nil {
			return nil
		}
		err := in.Release(ctx, c.last.UID)
		if errors.Is(err, webhook.ErrState) || errors.Is(err, webhook.ErrNotFound) {
			return nil
		}
		return err
	},
	"Bury": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		if c.last == nil {
			return nil
		}
		err := in.Bury(ctx, c.last.UID, webhook.Note{By: "ann"})
		if errors.Is(err, webhook.ErrState) || errors.Is(err, webhook.ErrNotFound) {
			return nil
		}
		return err
	},
	"Discard": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Discard(ctx, webhook.Filter{OrderingKey: c.key}, webhook.Note{By: "ann"})
		if err != nil && strings.Contains(err.Error(), "came in between") {
			return nil
		}
		return err
	},
	"Pause and Resume": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		return errors.Join(in.Pause(ctx, c.typ, webhook.Note{By: "ann"}), in.Resume(ctx, c.typ, webhook.Note{By: "ann"}))
	},
	"Sweep": func(ctx context.Context, _ *keyState, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Sweep(ctx)
		return err
	},
	"repair": func(ctx context.Context, c *keyState, in *sqlinbox.Inbox, _ *sql.DB) error { return in.Check(ctx) },
}

func (c *keyState) put(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
	err := in.Put(ctx, d)
	if errors.Is(err, webhook.ErrDuplicate) {
		return nil
	}
	return err
}

func settleAll(ctx context.Context, in *sqlinbox.Inbox, claims []webhook.Claim, o webhook.Outcome) error {
	for _, h := range claims {
		if _, err := in.Settle(ctx, h, o); err != nil && !errors.Is(err, webhook.ErrClaimLost) {
			return err
		}
	}
	return nil
}

// Each run tries other pairs of operations, at other moments.
func TestNoOperationDuringAnotherLeavesAKeyStuck(t *testing.T) {
	s := newPausedStore(t) // SQLite has one writer
	names := slices.Sorted(maps.Keys(operations))
	for setting, prepare := range keyStates {
		for _, deed := range names {
			meets, n := names[rand.N(len(names))], 1+rand.N(8)
			what := fmt.Sprintf("%s: %s during %s, at its call %d", setting, meets, deed, n)
			c := &keyState{pausedStore: s, key: fmt.Sprint("key", uids.Add(1)), typ: fmt.Sprint("type", uids.Add(1))}
			prepare(t, c)
			_, acted, came := s.during(t, n, func() error { return operations[deed](t.Context(), c, s.paused, s.pausedDB) },
				func() error { return operations[meets](t.Context(), c, s.other, s.db) })
			if acted != nil || came != nil {
				t.Errorf("%s: %s returned %v, %s %v", what, deed, acted, meets, came)
			}
			c.check(t, what)
		}
	}
}

// check settles the deliveries of the key, and fails if one is stuck or inconsistent.
func (c *keyState) check(t *testing.T, what string) {
	t.Helper()
	if n := count(t, c.db, "hookhouse_deliveries WHERE ordering_key = '"+c.key+"' AND (finished_at IS NULL) <> (state IN ('waiting', 'blocked', 'claimed'))"); n > 0 {
		t.Errorf("%s: %d finished in an unfinished state, or the reverse", what, n)
	}
	for range 20 {
		run(t, c.db, "UPDATE hookhouse_deliveries SET due_at = 1, lease_expires_at = 1 WHERE ordering_key = '"+c.key+"' AND state IN ('waiting', 'claimed', 'blocked')")
		claims, err := c.claim(t.Context(), c.other, time.Hour)
		must(t, err)
		if len(claims) > 1 {
			t.Errorf("%s: %d claims of one key", what, len(claims))
		}
		for _, h := range claims {
			if string(h.Delivery.Body) != `{"a":1}` {
				t.Errorf("%s: the body is %q", what, h.Delivery.Body)
			}
			settle(t, c.other, h, webhook.Done)
		}
		if len(claims) == 0 {
			break
		}
	}
	if n := count(t, c.db, "hookhouse_deliveries WHERE ordering_key = '"+c.key+"' AND state IN ('waiting', 'blocked', 'claimed')"); n > 0 {
		t.Errorf("%s: %d are stuck", what, n)
	}
	if n := count(t, c.db, "hookhouse_deliveries d WHERE ordering_key = '"+c.key+"' AND NOT EXISTS (SELECT 1 FROM hookhouse_bodies b WHERE b.id = d.id)"); n > 0 {
		t.Errorf("%s: %d without a body", what, n)
	}
}

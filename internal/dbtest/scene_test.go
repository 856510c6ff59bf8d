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

// A scene is a key with what is stored under it, and that has a type of its own.
type scene struct {
	*stage
	typ  string
	key  string
	held []webhook.Claim
	last *webhook.Delivery // that was stored; nil where none was
}

func (c *scene) delivery(marks ...string) *webhook.Delivery {
	d := delivery(c.key, marks...)
	d.Type = c.typ
	return d
}

func (c *scene) claim(ctx context.Context, in *sqlinbox.Inbox, lease time.Duration) ([]webhook.Claim, error) {
	return in.Claim(ctx, webhook.ClaimOptions{N: 5, Lease: lease, Types: []string{c.typ}})
}

// settings make scenes.
var settings = map[string]func(t *testing.T, c *scene){
	"nothing": func(*testing.T, *scene) {},
	"a head":  func(t *testing.T, c *scene) { c.last = put(t, c.other, c.delivery("m"+c.key)) },
	"a claim": func(t *testing.T, c *scene) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.held, _ = c.claim(t.Context(), c.other, time.Hour)
	},
	"a claim and two behind": func(t *testing.T, c *scene) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.held, _ = c.claim(t.Context(), c.other, time.Hour)
		put(t, c.other, c.delivery())
		put(t, c.other, c.delivery())
	},
	"one whose lease is over, and a burst behind": func(t *testing.T, c *scene) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		c.held, _ = c.claim(t.Context(), c.other, time.Microsecond)
		d := c.delivery()
		d.Coalesce.Quiet = time.Microsecond
		put(t, c.other, d)
	},
	"one that lets younger ones pass": func(t *testing.T, c *scene) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		held, _ := c.claim(t.Context(), c.other, time.Hour)
		if _, err := c.other.Settle(t.Context(), held[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true}); err != nil {
			t.Fatal(err)
		}
	},
	"a dead one": func(t *testing.T, c *scene) {
		c.last = put(t, c.other, c.delivery("m"+c.key))
		held, _ := c.claim(t.Context(), c.other, time.Hour)
		settle(t, c.other, held[0], webhook.Dead)
	},
	"a dead one that coalesces": func(t *testing.T, c *scene) {
		c.last = c.delivery("m" + c.key)
		c.last.Coalesce.Quiet = time.Microsecond
		put(t, c.other, c.last)
		var held []webhook.Claim
		waitFor(t, "it is due", func() bool { held, _ = c.claim(t.Context(), c.other, time.Hour); return len(held) == 1 })
		settle(t, c.other, held[0], webhook.Dead)
	},
	"two finished": func(t *testing.T, c *scene) {
		for range 2 {
			c.last = put(t, c.other, c.delivery())
			held, _ := c.claim(t.Context(), c.other, time.Hour)
			settle(t, c.other, held[0], webhook.Done)
		}
	},
}

// deeds are what an inbox does at a scene. What may be, however it comes, is no
// error.
var deeds = map[string]func(ctx context.Context, c *scene, in *sqlinbox.Inbox, db *sql.DB) error{
	"Put": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		return c.put(ctx, in, c.delivery())
	},
	"Puts at once": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		answers := make(chan error, 3)
		for _, d := range []*webhook.Delivery{c.delivery(), c.delivery("m" + c.key), c.delivery()} {
			go func() { answers <- c.put(ctx, in, d) }()
		}
		return errors.Join(<-answers, <-answers, <-answers)
	},
	"Put of a burst": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		d := c.delivery()
		d.Coalesce.Quiet = time.Microsecond
		return c.put(ctx, in, d)
	},
	"redelivery": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		return c.put(ctx, in, c.delivery("m"+c.key))
	},
	"PutTx": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, db *sql.DB) error {
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
	"Settle": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		return settleAll(ctx, in, c.held, webhook.Outcome{State: webhook.Done})
	},
	"put back": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		return settleAll(ctx, in, c.held, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour, RetryOutOfOrder: true})
	},
	"work": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		claims, err := c.claim(ctx, in, time.Hour)
		if err != nil {
			return err
		}
		return settleAll(ctx, in, claims, webhook.Outcome{State: webhook.Done})
	},
	"Replay": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Replay(ctx, webhook.Filter{OrderingKey: c.key}, webhook.Note{By: "ann"})
		return err
	},
	"Replay and work": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Replay(ctx, webhook.Filter{OrderingKey: c.key}, webhook.Note{By: "ann"})
		for range 3 {
			claims, failed := c.claim(ctx, in, time.Hour)
			err = errors.Join(err, failed, settleAll(ctx, in, claims, webhook.Outcome{State: webhook.Dead}))
		}
		return err
	},
	"Release": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		if c.last == nil {
			return nil
		}
		err := in.Release(ctx, c.last.UID)
		if errors.Is(err, webhook.ErrState) || errors.Is(err, webhook.ErrNotFound) {
			return nil
		}
		return err
	},
	"Sweep": func(ctx context.Context, _ *scene, in *sqlinbox.Inbox, _ *sql.DB) error {
		_, err := in.Sweep(ctx)
		return err
	},
	"repair": func(ctx context.Context, c *scene, in *sqlinbox.Inbox, _ *sql.DB) error { return in.Check(ctx) },
}

func (c *scene) put(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
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

// Some of the many ways in which two inboxes can meet, other ones each time.
func TestWhateverComesInTheMidstOfAStatementLeavesNoKeyStuck(t *testing.T) {
	if theServer == nil {
		return // SQLite has one writer
	}
	s := newStage(t)
	names := slices.Sorted(maps.Keys(deeds))
	for setting, prepare := range settings {
		for _, deed := range names {
			meets, n := names[rand.N(len(names))], 1+rand.N(8)
			what := fmt.Sprintf("%s: %s comes in the midst of %s, at its call %d", setting, meets, deed, n)
			c := &scene{stage: s, key: fmt.Sprint("key", minted.Add(1)), typ: fmt.Sprint("type", minted.Add(1))}
			prepare(t, c)
			_, acted, came := s.meanwhile(t, n, func() error { return deeds[deed](t.Context(), c, s.in, s.inDB) },
				func() error { return deeds[meets](t.Context(), c, s.other, s.db) })
			if acted != nil || came != nil {
				t.Errorf("%s: %s returned %v, %s %v", what, deed, acted, meets, came)
			}
			c.check(t, what)
		}
	}
}

// check works the key off, and sees that nothing is stuck or inconsistent.
func (c *scene) check(t *testing.T, what string) {
	t.Helper()
	if n := count(t, c.db, "hookhouse_deliveries WHERE ordering_key = '"+c.key+"' AND (finished_at IS NULL) <> (state IN ('waiting', 'blocked', 'claimed'))"); n > 0 {
		t.Errorf("%s: %d ended and unfinished", what, n)
	}
	for range 20 {
		run(t, c.db, "UPDATE hookhouse_deliveries SET due_at = 1, lease_expires_at = 1 WHERE ordering_key = '"+c.key+"' AND state IN ('waiting', 'claimed', 'blocked')")
		claims, err := c.claim(t.Context(), c.other, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
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

package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// GiveUp ends unfinished deliveries that are not claimed; see [webhook.Admin]. It commits
// at most 500 at a time, and an error does not undo what was committed before. Of an
// ordering key that f names it ends what is blocked first and the next one last, so that
// few are claimed meanwhile. It looks at none that is newer than the newest one at its
// beginning. On PostgreSQL it waits for a transaction that holds an ordering key, until
// ctx ends.
func (in *Inbox) GiveUp(ctx context.Context, f webhook.Filter, as webhook.State, n webhook.Note) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case matchesAll(f):
		return 0, errors.New("sqlinbox: to give up needs a Filter that does not select all")
	case as != webhook.Dead && as != webhook.Ignored:
		return 0, fmt.Errorf("sqlinbox: to give up needs the state %s or %s, not %q", webhook.Dead, webhook.Ignored, as)
	}
	n, err := checkedNote(ctx, n, "to give up")
	if err != nil {
		return 0, err
	}
	if err := in.reads(ctx); err != nil {
		return 0, err
	}
	g := &giveUp{in: in, f: f, as: as, reason: endedBy("given up", n), types: make(map[string]int)}
	if err = in.query(ctx, in.db, "last", args{}, func(row *sql.Rows) error { return row.Scan(&g.last) }); err == nil {
		err = g.run(ctx)
	}
	if g.done > 0 {
		in.logger().Warn("unfinished deliveries are given up",
			"count", g.done, "state", as, "types", g.types, "by", n.By, "why", n.Why)
		in.notify()
	}
	if err != nil || g.done > 0 || f.UID == "" {
		return g.done, err
	}
	return 0, in.stateError(ctx, f.UID)
}

// giveUpLimit is how many deliveries one transaction ends.
const giveUpLimit = 500

// A giveUp is one call of GiveUp.
type giveUp struct {
	in     *Inbox
	f      webhook.Filter
	as     webhook.State
	reason string
	last   int64 // the highest id at the beginning
	done   int
	types  map[string]int
}

// An unfinished one may be given up.
type unfinished struct {
	id    int64
	retry int // 1: blocked, and lets younger ones run first
	typ   string
	key   orderKey
}

const (
	unfinishedColumns = "SELECT d.id, d.retry_out_of_order, d.type, d.source, d.ordering_key FROM hookhouse_deliveries d"
	// The order of an index: a page does not read what the pages before have ended.
	blockedPage = " AND d.state = 'blocked' AND d.id <= @last AND (d.retry_out_of_order, d.id) > (@retry, @after) ORDER BY d.retry_out_of_order, d.id LIMIT @n"
	headPage    = " AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' AND d.state = 'waiting' AND d.id <= @last AND d.id > @after LIMIT @n"
	anyPage     = " AND d.state IN ('waiting', 'blocked') AND d.id <= @last AND d.id > @after ORDER BY d.id LIMIT @n"
)

func (g *giveUp) run(ctx context.Context) error {
	if g.f.Source == "" || g.f.OrderingKey == "" {
		return g.runPages(ctx, anyPage)
	}
	if err := g.runPages(ctx, blockedPage); err != nil {
		return err
	}
	return g.runPages(ctx, headPage)
}

// runPages ends what a query finds, a page at a time.
func (g *giveUp) runPages(ctx context.Context, text string) error {
	terms, a := where(g.f)
	a["last"], a["after"], a["retry"] = g.last, int64(0), 0
	for {
		n := giveUpLimit
		if g.f.Limit > 0 {
			n = min(n, g.f.Limit-g.done)
		}
		if n == 0 {
			return nil
		}
		a["n"] = n
		var page []unfinished
		err := g.in.list(ctx, unfinishedColumns+terms+text, a, func(row *sql.Rows) error {
			var u unfinished
			err := row.Scan(&u.id, &u.retry, &u.typ, &u.key.source, &u.key.key)
			page = append(page, u)
			return err
		})
		if err != nil {
			return err
		}
		if len(page) > 0 {
			a["after"], a["retry"] = page[len(page)-1].id, page[len(page)-1].retry
			if err := g.end(ctx, page); err != nil {
				return err
			}
		}
		if len(page) < n {
			return nil
		}
	}
}

// end ends the deliveries of a page, those of an ordering key together.
func (g *giveUp) end(ctx context.Context, page []unfinished) error {
	ids := make(map[orderKey][]int64)
	var keys []orderKey // in order of the oldest
	for _, u := range page {
		if ids[u.key] == nil {
			keys = append(keys, u.key)
		}
		ids[u.key] = append(ids[u.key], u.id)
	}
	for _, k := range keys {
		types, err := g.endOf(ctx, k, ids[k])
		if err != nil {
			return err
		}
		for _, typ := range types {
			g.done++
			g.types[typ]++
		}
	}
	return nil
}

// endOf ends those of one ordering key that are still unfinished and not claimed, and
// returns the type of each.
func (g *giveUp) endOf(ctx context.Context, k orderKey, ids []int64) (types []string, err error) {
	a := args{"ids": idList(ids), "source": k.source, "key": k.key, "reason": g.reason, "state": string(g.as)}
	err = g.in.engine.tx(ctx, func(ctx context.Context, s session) error {
		types = nil
		if k.key != "" {
			if _, err := g.in.engine.lock(ctx, s, k, lockMode{waits: true}); err != nil {
				return err
			}
		}
		err := g.in.query(ctx, s, "give_up", a, func(row *sql.Rows) error {
			var typ string
			err := row.Scan(&typ)
			types = append(types, typ)
			return err
		})
		if err != nil || len(types) == 0 || k.key == "" {
			return err
		}
		return g.in.promote(ctx, s, k)
	})
	return types, err
}

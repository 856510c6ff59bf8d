package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// most is how many players a plan has at most.
const most = 4

// A stage is an empty store and those who play on it, one plan at a time.
type stage struct {
	clerk   *player // does what is done before and afterwards; nothing stops it
	players []*player
	monitor *monitor // nil on SQLite, where operations are not interleaved
	empty   string
	tidy    string // now and then
	played  int
	close   func()
}

var sources atomic.Int64 // that stages have taken

// onPostgres returns a func that makes a stage in a schema of its own.
func onPostgres(w *wrong) func(t *testing.T) (*stage, error) {
	return func(t *testing.T) (*stage, error) {
		ctx := t.Context()
		g := &stage{tidy: "VACUUM"}
		store := engine.OnServer(engine.Server, "plan_cache_mode=force_generic_plan").NewStore(t)
		plain, err := store.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = plain.Close() }()
		if _, err = plain.ExecContext(ctx, "CREATE FUNCTION unlocked(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'"); err != nil {
			return nil, err
		}
		// The server has one space of advisory locks for all schemas: with a source
		// of its own, no stage locks the keys of another.
		source := fmt.Sprint("model", sources.Add(1))
		open := func(n int, name string, w *wrong) (*player, error) {
			p := &player{n: n, name: name, source: source, wrong: w, level: isolations[0]}
			var err error
			if p.db, err = openStopped(store.DSN, p); err == nil {
				p.inbox = newInbox(p.db, sqlinbox.PostgreSQL)
			}
			return p, err
		}
		if g.clerk, err = open(-1, "clerk", right); err != nil {
			return nil, err
		}
		for n := range most {
			p, err := open(n, fmt.Sprintf("P%d", n), w)
			if err != nil {
				return nil, err
			}
			g.players = append(g.players, p)
		}
		if g.monitor, err = newMonitor(ctx, store.DSN); err != nil {
			return nil, err
		}
		g.close = func() {
			g.closePlayers()
			g.monitor.close()
		}
		return g, g.prepare(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND tablename LIKE 'hookhouse%'")
	}
}

// onSQLite makes a stage in a file.
func onSQLite(t *testing.T) (*stage, error) {
	folder, err := os.MkdirTemp(memory(), "hookhouse-model-")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	g := new(stage)
	store := engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(folder, "inbox.db"))}.With("_txlock=immediate")
	for n := range most + 1 {
		p := &player{n: n, name: fmt.Sprintf("P%d", n), source: "model"}
		if p.db, err = store.Open(); err != nil {
			return nil, err
		}
		p.inbox = newInbox(p.db, sqlinbox.SQLite)
		g.players = append(g.players, p)
	}
	g.clerk, g.players = g.players[most], g.players[:most]
	g.close = g.closePlayers
	return g, g.prepare(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hookhouse%'")
}

func (g *stage) closePlayers() {
	for _, p := range append(g.players, g.clerk) {
		_ = p.inbox.Close()
		_ = p.db.Close()
	}
}

func (g *stage) prepare(ctx context.Context, tables string) error {
	if err := g.clerk.inbox.Migrate(ctx); err != nil {
		return err
	}
	if _, err := g.clerk.db.ExecContext(ctx, "CREATE TABLE orders (n int)"); err != nil {
		return err
	}
	for _, p := range g.players { // what an inbox does once is none of a plan's statements
		if err := p.inbox.Check(ctx); err != nil {
			return err
		}
	}
	var err error
	g.empty, err = emptied(ctx, g.clerk.db, tables)
	return err
}

// A report is what came of a plan.
type report struct {
	plan   *plan
	tactic tactic
	trace  []*line
	faults []string
	err    error // it was not played to the end
}

func (r *report) failed() bool { return len(r.faults) > 0 || r.err != nil }

// play plays a plan and judges it.
func (g *stage) play(ctx context.Context, pl *plan) (r *report) {
	r = &report{plan: pl}
	if g.played++; g.tidy != "" && g.played%200 == 0 {
		if _, r.err = g.clerk.db.ExecContext(ctx, g.tidy); r.err != nil {
			return r
		}
	}
	if _, r.err = g.clerk.db.ExecContext(ctx, g.empty); r.err != nil {
		return r
	}
	b := new(book)
	players := g.players[:len(pl.programs)]
	for _, p := range players {
		p.level = pl.isolation
	}
	for _, p := range append([]*player{g.clerk}, players...) {
		p.book, p.claims = b, nil
	}
	for _, o := range pl.before {
		switch o.verb {
		case claiming:
			g.clerk.claim(ctx, players[o.holder], o)
		case settling:
			players[o.holder].do(ctx, pl, o)
		default:
			g.clerk.do(ctx, pl, o)
		}
	}
	rng := random(pl.turns, 2)
	if g.monitor == nil {
		r.trace = interleave(ctx, rng, pl, players)
	} else {
		r.tactic = newTactic(rng, pl)
		acts := &run{monitor: g.monitor, tactic: r.tactic}
		r.err = acts.play(ctx, players, func(p *player) { p.play(ctx, pl, pl.programs[p.n]) })
		r.trace = acts.trace
		if r.err != nil {
			return r
		}
	}
	j := newJudge(b, pl)
	var bodies int
	if j.rows, bodies, r.err = readTables(ctx, g.clerk.db); r.err != nil {
		return r
	}
	j.atRest(bodies)
	if len(j.faults) == 0 {
		if r.err = g.workOff(ctx, pl, len(j.rows)); r.err != nil {
			return r
		}
		if j.rows, _, r.err = readTables(ctx, g.clerk.db); r.err != nil {
			return r
		}
		j.workedOff()
	}
	r.faults = j.faults
	return r
}

// interleave does the players' operations one after the other, in any order.
func interleave(ctx context.Context, rng *rand.Rand, pl *plan, players []*player) (trace []*line) {
	left := make([][]op, len(players))
	n := 0
	for i, program := range pl.programs {
		left[i] = program
		n += len(program)
	}
	for n > 0 {
		i := rng.IntN(len(players))
		if len(left[i]) == 0 {
			continue
		}
		o := left[i][0]
		left[i] = left[i][1:]
		n--
		trace = append(trace, &line{player: players[i].name, what: o.describe(pl.parcels), result: players[i].do(ctx, pl, o)})
	}
	return trace
}

// workOff claims and settles until nothing is left to claim.
func (g *stage) workOff(ctx context.Context, pl *plan, n int) error {
	for range n + 1 {
		if err := hurry(ctx, g.clerk.db); err != nil {
			return err
		}
		g.clerk.claims = nil
		g.clerk.claim(ctx, g.clerk, op{verb: claiming, n: 100, types: []string{"t0", "t1"}})
		if len(g.clerk.claims) == 0 {
			return nil
		}
		for len(g.clerk.claims) > 0 {
			g.clerk.do(ctx, pl, op{verb: settling, outcome: webhook.Outcome{State: webhook.Done}})
		}
	}
	return errors.New("there is always one more to claim")
}

// String prints what went wrong and how it came to it.
func (r *report) String() string {
	order := ""
	if r.tactic != nil {
		order = fmt.Sprintf("order: %v\n", r.tactic)
	}
	return fmt.Sprintf("%v%s%s\nfaults: %q, error: %v", r.plan, order, printTrace(r.trace), r.faults, r.err)
}

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

// maxClients is the maximum number of clients of a plan.
const maxClients = 4

// An env is a store and its clients. It runs one plan at a time.
type env struct {
	admin     *client // does what is done before and afterwards; nothing stops it
	clients   []*client
	monitor   *monitor // nil on SQLite, where operations are not interleaved
	deleteAll string
	vacuum    string // now and then
	played    int
	close     func()
}

var sources atomic.Int64 // in use

// onPostgres returns a func that makes an env in a schema of its own.
func onPostgres(w *mutant) func(t *testing.T) (*env, error) {
	return func(t *testing.T) (*env, error) {
		ctx := t.Context()
		g := &env{vacuum: "VACUUM"}
		store := engine.OnServer(engine.Server, "plan_cache_mode=force_generic_plan").NewStore(t)
		plain, err := store.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = plain.Close() }()
		if _, err = plain.ExecContext(ctx, "CREATE FUNCTION unlocked(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'"); err != nil {
			return nil, err
		}
		// Advisory locks do not depend on the schema. An env has a source of its
		// own, so that it locks no keys of another env.
		source := fmt.Sprint("model", sources.Add(1))
		open := func(n int, name string, w *mutant) (*client, error) {
			p := &client{n: n, name: name, source: source, mutant: w, level: isolations[0]}
			var err error
			if p.db, err = openPaused(store.DSN, p); err == nil {
				p.inbox = newInbox(p.db, sqlinbox.PostgreSQL)
			}
			return p, err
		}
		if g.admin, err = open(-1, "admin", original); err != nil {
			return nil, err
		}
		for n := range maxClients {
			p, err := open(n, fmt.Sprintf("P%d", n), w)
			if err != nil {
				return nil, err
			}
			g.clients = append(g.clients, p)
		}
		if g.monitor, err = newMonitor(ctx, store.DSN); err != nil {
			return nil, err
		}
		g.close = func() {
			g.closeClients()
			g.monitor.close()
		}
		return g, g.prepare(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND tablename LIKE 'hookhouse%'")
	}
}

// onSQLite makes an env in a file.
func onSQLite(t *testing.T) (*env, error) {
	folder, err := os.MkdirTemp("", "hookhouse-model-")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	g := new(env)
	store := engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(folder, "inbox.db"))}.With("_txlock=immediate")
	for n := range maxClients + 1 {
		p := &client{n: n, name: fmt.Sprintf("P%d", n), source: "model"}
		if p.db, err = store.Open(); err != nil {
			return nil, err
		}
		p.inbox = newInbox(p.db, sqlinbox.SQLite)
		g.clients = append(g.clients, p)
	}
	g.admin, g.clients = g.clients[maxClients], g.clients[:maxClients]
	g.close = g.closeClients
	return g, g.prepare(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hookhouse%'")
}

func (g *env) closeClients() {
	for _, p := range append(g.clients, g.admin) {
		_ = p.inbox.Close()
		_ = p.db.Close()
	}
}

func (g *env) prepare(ctx context.Context, tables string) error {
	if err := g.admin.inbox.Migrate(ctx); err != nil {
		return err
	}
	if _, err := g.admin.db.ExecContext(ctx, "CREATE TABLE orders (n int)"); err != nil {
		return err
	}
	for _, p := range g.clients { // what an inbox runs once is not part of a plan
		if err := p.inbox.Check(ctx); err != nil {
			return err
		}
	}
	var err error
	g.deleteAll, err = deleteAllFrom(ctx, g.admin.db, tables)
	return err
}

// A report is the result of a plan.
type report struct {
	plan      *plan
	scheduler scheduler
	trace     []*step
	faults    []string
	err       error // it was not played to the end
}

func (r *report) failed() bool { return len(r.faults) > 0 || r.err != nil }

// play runs a plan and checks the result.
func (g *env) play(ctx context.Context, pl *plan) (r *report) {
	r = &report{plan: pl}
	if g.played++; g.vacuum != "" && g.played%200 == 0 {
		if _, r.err = g.admin.db.ExecContext(ctx, g.vacuum); r.err != nil {
			return r
		}
	}
	if _, r.err = g.admin.db.ExecContext(ctx, g.deleteAll); r.err != nil {
		return r
	}
	b := new(history)
	clients := g.clients[:len(pl.programs)]
	for _, p := range clients {
		p.level = pl.isolation
	}
	for _, p := range append([]*client{g.admin}, clients...) {
		p.history, p.claims = b, nil
	}
	for _, o := range pl.before {
		switch o.verb {
		case claiming:
			g.admin.claim(ctx, clients[o.holder], o)
		case settling:
			clients[o.holder].do(ctx, pl, o)
		default:
			g.admin.do(ctx, pl, o)
		}
	}
	rng := random(pl.orderSeed, 2)
	if g.monitor == nil {
		r.trace = interleave(ctx, rng, pl, clients)
	} else {
		r.scheduler = newScheduler(rng, pl)
		current := &run{monitor: g.monitor, scheduler: r.scheduler}
		r.err = current.play(ctx, clients, func(p *client) { p.play(ctx, pl, pl.programs[p.n]) })
		r.trace = current.trace
		if r.err != nil {
			return r
		}
	}
	j := newChecker(b, pl)
	var bodies int
	if j.rows, bodies, r.err = readTables(ctx, g.admin.db); r.err != nil {
		return r
	}
	j.checkStopped(bodies)
	if len(j.faults) == 0 {
		if r.err = g.drain(ctx, pl, len(j.rows)); r.err != nil {
			return r
		}
		if j.rows, _, r.err = readTables(ctx, g.admin.db); r.err != nil {
			return r
		}
		j.checkDrained()
	}
	r.faults = j.faults
	return r
}

// interleave runs the clients' operations one after the other, in a random order.
func interleave(ctx context.Context, rng *rand.Rand, pl *plan, clients []*client) (trace []*step) {
	left := make([][]op, len(clients))
	n := 0
	for i, program := range pl.programs {
		left[i] = program
		n += len(program)
	}
	for n > 0 {
		i := rng.IntN(len(clients))
		if len(left[i]) == 0 {
			continue
		}
		o := left[i][0]
		left[i] = left[i][1:]
		n--
		trace = append(trace, &step{client: clients[i].name, what: o.describe(pl.specs), result: clients[i].do(ctx, pl, o)})
	}
	return trace
}

// drain claims and settles until nothing is left to claim.
func (g *env) drain(ctx context.Context, pl *plan, n int) error {
	for range n + 1 {
		if err := makeAllDue(ctx, g.admin.db); err != nil {
			return err
		}
		g.admin.claims = nil
		g.admin.claim(ctx, g.admin, op{verb: claiming, n: 100, types: []string{"t0", "t1"}})
		if len(g.admin.claims) == 0 {
			return nil
		}
		for len(g.admin.claims) > 0 {
			g.admin.do(ctx, pl, op{verb: settling, outcome: webhook.Outcome{State: webhook.Done}})
		}
	}
	return errors.New("more deliveries can be claimed than are stored")
}

// String returns the plan, its statements in order, and the faults.
func (r *report) String() string {
	order := ""
	if r.scheduler != nil {
		order = fmt.Sprintf("order: %v\n", r.scheduler)
	}
	return fmt.Sprintf("%v%s%s\nfaults: %q, error: %v", r.plan, order, formatTrace(r.trace), r.faults, r.err)
}

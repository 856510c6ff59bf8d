// Package snapshot measures claims that find nothing while a transaction holds a
// snapshot from before the deliveries were handled, as a dump or a forgotten
// session does. PostgreSQL cannot clean up what the transaction might still read.
package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/drain"
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

// The moments in which claims are measured.
const (
	withoutSnapshot = "no snapshot, vacuumed"
	snapshotOpen    = "snapshot open, vacuumed"
	snapshotEnded   = "snapshot over, not yet vacuumed"
	snapshotAfter   = "snapshot over, vacuumed"
)

// A row has the times of claims that find nothing after that many deliveries have
// been handled.
type row struct {
	moment     string
	deliveries int
	took       []float64 // ms
}

// Run is the command "snapshot".
func Run(ctx context.Context, args []string) error {
	flags := env.NewFlags("snapshot", 3, "one pass of 500 deliveries")
	claims := flags.Int("claims", 200, "claims in each moment")
	if err := flags.Parse(args); err != nil {
		return err
	}
	deliveries := []int{1000, 5000, 20_000}
	if flags.Short {
		flags.Count, deliveries = 1, []int{500}
	}
	if *claims < 1 {
		return errors.New("-claims must be at least 1")
	}
	flags.Needs = env.PostgreSQL // a reader of SQLite keeps its log long, and no rows
	return env.Report(ctx, flags, fmt.Sprintf("%d passes of %d claims", flags.Count, *claims),
		func(e *env.Env) ([]*row, error) { return measure(ctx, e, flags.Count, *claims, deliveries) }, printRows)
}

func measure(ctx context.Context, e *env.Env, count, claims int, deliveries []int) ([]*row, error) {
	var rows []*row
	find := func(moment string, n int) *row {
		r := env.Find(rows, func(r *row) bool { return r.moment == moment && r.deliveries == n })
		if r == nil {
			r = &row{moment: moment, deliveries: n}
			rows = append(rows, r)
		}
		return r
	}
	for range count {
		for _, n := range deliveries {
			for _, open := range []bool{false, true} {
				err := handle(ctx, e, n, open, func(moment string, store *env.Store) error {
					return find(moment, n).claim(ctx, store, claims)
				})
				if err != nil {
					return nil, fmt.Errorf("%d deliveries: %w", n, err)
				}
			}
		}
	}
	return rows, nil
}

// handle handles n deliveries, with or without a snapshot from before, and calls
// claim in each moment.
func handle(ctx context.Context, e *env.Env, n int, open bool, claim func(moment string, store *env.Store) error) (err error) {
	at, remove, err := e.Make(ctx, env.PostgreSQL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	filled, err := drain.Fill(ctx, env.PostgreSQL, at, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, filled.Close()) }()
	store, err := env.PostgreSQL.Open(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	vacuum := func() error {
		_, err := store.DB.ExecContext(ctx, schema.Vacuum)
		return err
	}
	if !open {
		if err := errors.Join(filled.Run(ctx, n, 64), vacuum()); err != nil {
			return err
		}
		return claim(withoutSnapshot, store)
	}
	tx, err := store.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the one below
	var before int                       // the first statement takes the snapshot
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+schema.Deliveries).Scan(&before); err != nil {
		return err
	}
	if err := errors.Join(filled.Run(ctx, n, 64), vacuum()); err != nil {
		return err
	}
	if err := claim(snapshotOpen, store); err != nil {
		return err
	}
	if err := errors.Join(tx.Rollback(), claim(snapshotEnded, store), vacuum()); err != nil {
		return err
	}
	return claim(snapshotAfter, store)
}

// claim times claims, each of which must find nothing.
func (r *row) claim(ctx context.Context, store *env.Store, n int) error {
	for range n {
		start := time.Now()
		claims, err := store.Claim(ctx, webhook.ClaimOptions{N: 8})
		if err == nil && len(claims) > 0 {
			err = fmt.Errorf("claimed %d deliveries that were handled", len(claims))
		}
		if err != nil {
			return err
		}
		r.took = append(r.took, env.Millis(time.Since(start)))
	}
	return nil
}

func printRows(w io.Writer, rows []*row) {
	env.Head(w, "Claims that find nothing, PostgreSQL, after deliveries were handled", "handled:", "", "median ms:", "p99 ms:", "longest ms:", "x without:")
	var without float64
	for _, r := range rows {
		middle := env.Median(r.took)
		times := ""
		if r.moment == withoutSnapshot { // comes before the others of that number
			without = middle
		} else {
			times = fmt.Sprintf("%.2f", middle/without)
		}
		fmt.Fprintf(w, "| %d | %s | %.2f | %.2f | %.2f | %s |\n", r.deliveries, r.moment, middle, env.Quantile(r.took, 0.99), env.Quantile(r.took, 1), times)
	}
	fmt.Fprintln(w)
}

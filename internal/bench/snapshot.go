package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The names of what a table of claims is told in.
const (
	snapNone  = "no snapshot, vacuumed"
	snapOpen  = "snapshot open, vacuumed"
	snapEnded = "snapshot over, not yet vacuumed"
	snapAfter = "snapshot over, vacuumed"
)

// A snapRow is how long a claim takes that finds nothing, after so many
// deliveries have been worked off.
type snapRow struct {
	name string
	jobs int
	took []time.Duration // the shortest first
}

// snapshot measures claims that find nothing while a transaction holds a
// snapshot from before the deliveries were worked off, as a dump or a forgotten
// session does: PostgreSQL cannot clean up what that might still see.
func snapshot(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("snapshot", flag.ExitOnError)
	count := flags.Int("count", 3, "passes over everything")
	claims := flags.Int("claims", 200, "claims in each state of a table")
	short := flags.Bool("short", false, "one pass of 500 deliveries, for a quick look")
	dir := flags.String("dir", "", "folder for the stores (default the system's temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	jobs := []int{1000, 5000, 20_000}
	if *short {
		*count, jobs = 1, []int{500}
	}
	if *count < 1 || *claims < 1 {
		return errors.New("-count and -claims are at least 1")
	}
	s, err := newSite(ctx, *dir)
	if err != nil {
		return err
	}
	defer s.close()
	if !s.has(inPostgres) {
		return nil // SQLite's readers keep its log long, and no rows
	}
	fmt.Printf("%s, %d passes of %d claims\n\n", machine(), *count, *claims)
	rows, err := measureSnapshots(ctx, s, *count, *claims, jobs)
	if err != nil {
		return err
	}
	printSnapshots(os.Stdout, rows)
	return nil
}

func measureSnapshots(ctx context.Context, s *site, count, claims int, jobs []int) ([]*snapRow, error) {
	var rows []*snapRow
	row := func(name string, n int) *snapRow {
		for _, r := range rows {
			if r.name == name && r.jobs == n {
				return r
			}
		}
		r := &snapRow{name: name, jobs: n}
		rows = append(rows, r)
		return r
	}
	for range count {
		for _, n := range jobs {
			for _, open := range []bool{false, true} {
				if err := workedOff(ctx, s, n, open, func(name string, in *sqlinbox.Inbox) error {
					return row(name, n).claim(ctx, in, claims)
				}); err != nil {
					return nil, fmt.Errorf("%d deliveries: %w", n, err)
				}
			}
		}
	}
	for _, r := range rows {
		slices.Sort(r.took)
	}
	return rows, nil
}

// workedOff works off n deliveries, beside a snapshot from before or without, and
// lets measure look at each state of the table.
func workedOff(ctx context.Context, s *site, n int, open bool, measure func(name string, in *sqlinbox.Inbox) error) (err error) {
	at, remove, err := s.make(ctx, inPostgres)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	full, err := fillOursPostgres(ctx, at, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, full.close()) }()
	db, in, err := pace.PostgreSQL.Open(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll(in, db)()) }()
	vacuum := func() error {
		_, err := db.ExecContext(ctx, "VACUUM ANALYZE hookhouse_deliveries")
		return err
	}
	if !open {
		if err := errors.Join(full.run(ctx, n, 64), vacuum()); err != nil {
			return err
		}
		return measure(snapNone, in)
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it is over by then
	var seen int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM hookhouse_deliveries").Scan(&seen); err != nil {
		return err
	}
	if err := errors.Join(full.run(ctx, n, 64), vacuum()); err != nil {
		return err
	}
	if err := measure(snapOpen, in); err != nil {
		return err
	}
	if err := errors.Join(tx.Rollback(), measure(snapEnded, in), vacuum()); err != nil {
		return err
	}
	return measure(snapAfter, in)
}

// claim times claims, each of which must find nothing.
func (r *snapRow) claim(ctx context.Context, in *sqlinbox.Inbox, n int) error {
	for range n {
		start := time.Now()
		claims, err := in.Claim(ctx, webhook.ClaimOptions{N: 8})
		if err == nil && len(claims) > 0 {
			err = fmt.Errorf("%d claims of what is worked off", len(claims))
		}
		if err != nil {
			return err
		}
		r.took = append(r.took, time.Since(start))
	}
	return nil
}

func printSnapshots(w io.Writer, rows []*snapRow) {
	fmt.Fprintln(w, "### Claims that find nothing, PostgreSQL, after deliveries were worked off")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| worked off | | median ms | p99 ms | most ms | x without |")
	fmt.Fprintln(w, "|--:|---|--:|--:|--:|--:|")
	var without float64
	for _, r := range rows {
		middle := ms(r.took[len(r.took)/2])
		times := ""
		if r.name == snapNone { // before the others of as many
			without = middle
		} else {
			times = fmt.Sprintf("%.2f", middle/without)
		}
		fmt.Fprintf(w, "| %d | %s | %.2f | %.2f | %.2f | %s |\n", r.jobs, r.name, middle, ms(r.took[len(r.took)*99/100]), ms(r.took[len(r.took)-1]), times)
	}
	fmt.Fprintln(w)
}

package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// audit compares the account with the plan and with the database, when nothing is
// unfinished. What does not agree is a fault.
func (a *account) audit(ctx context.Context, in *sqlinbox.Inbox, db *sql.DB) (sum, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	total := sum{count: make(map[webhook.State]int), types: make(map[string]map[webhook.State]int)}
	for e := range a.book.Entries() {
		a.checkPlan(e)
		total.add(e)
	}
	a.book.CheckOrder()
	if total.count[webhook.Superseded] == 0 {
		a.book.Faultf("no delivery of a burst was superseded")
	}
	rows := 0
	for r, err := range in.All(ctx, webhook.Filter{}) {
		if err != nil {
			return total, err
		}
		rows++
		a.checkRow(r)
	}
	if rows != a.book.Len() {
		a.book.Faultf("the database has %d deliveries, the ledger %d", rows, a.book.Len())
	}
	stats, err := in.Stats(ctx)
	if err != nil {
		return total, err
	}
	if !maps.Equal(stats.Count, total.count) {
		a.book.Faultf("the database counts %v, the ledger %v", stats.Count, total.count)
	}
	if !maps.EqualFunc(stats.Types, total.types, maps.Equal[map[webhook.State]int]) {
		a.book.Faultf("the database counts %v by type, the ledger %v", stats.Types, total.types)
	}
	for table, want := range map[string]int{"hookhouse_bodies": a.book.Len(), "hookhouse_dedup_keys": total.dedupKeys} {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return total, err
		}
		if n != want {
			a.book.Faultf("%s has %d rows, the ledger %d", table, n, want)
		}
	}
	return total, nil
}

// checkPlan compares what came of one event with the plan.
func (a *account) checkPlan(e *entry) {
	d := e.Detail
	if d.stored != 1 {
		a.book.Faultf("%s was stored %d times", e.ID, d.stored)
	}
	if want := number(d.twice); d.duplicates != want {
		a.book.Faultf("%s was refused as a duplicate %d times, want %d", e.ID, d.duplicates, want)
	}
	switch {
	case e.Handled && e.Runs != d.fails+1:
		a.book.Faultf("%s: %d runs, want %d", e.ID, e.Runs, d.fails+1)
	case !e.Handled && !e.Optional:
		a.book.Faultf("%s was acknowledged and lost", e.ID)
	case d.ended != e.Runs:
		a.book.Faultf("%s: %d runs of %d have ended", e.ID, d.ended, e.Runs)
	}
}

// checkRow compares a stored delivery with its entry.
func (a *account) checkRow(r webhook.Record) {
	e := a.book.Entry(r.Delivery.ID)
	switch {
	case e == nil:
		a.book.Faultf("nobody sent %s", r.Delivery.UID)
	case r.Delivery.UID != e.Detail.uid:
		a.book.Faultf("%s is stored as %s, acknowledged as %s", e.ID, r.Delivery.UID, e.Detail.uid)
	case r.State != finalState(e) || r.Attempt != e.Runs || r.Fence != int64(e.Runs):
		a.book.Faultf("%s is %s after %d attempts with fence %d, by the ledger %s after %d",
			e.ID, r.State, r.Attempt, r.Fence, finalState(e), e.Runs)
	}
}

// finalState is the state that the delivery must have, by its runs.
func finalState(e *entry) webhook.State {
	switch {
	case !e.Handled:
		return webhook.Superseded
	case e.Detail.permanent:
		return webhook.Dead
	default:
		return webhook.Done
	}
}

// A sum is the account in numbers.
type sum struct {
	count                                     map[webhook.State]int
	types                                     map[string]map[webhook.State]int
	put, dedupKeys, duplicates, runs, retries int
}

func (s *sum) add(e *entry) {
	typ := string(e.Detail.promise)
	if s.types[typ] == nil {
		s.types[typ] = make(map[webhook.State]int)
	}
	s.types[typ][finalState(e)]++
	s.count[finalState(e)]++
	s.put += e.Detail.stored
	s.dedupKeys += number(e.Detail.hasDedupKey())
	s.duplicates += e.Detail.duplicates
	s.runs += e.Runs
	s.retries += max(e.Runs-1, 0)
}

func (s sum) String() string {
	return fmt.Sprintf("%d put, %d more refused as duplicates; %d runs, %d of them retries; %d done, %d dead, %d superseded",
		s.put, s.duplicates, s.runs, s.retries, s.count[webhook.Done], s.count[webhook.Dead], s.count[webhook.Superseded])
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

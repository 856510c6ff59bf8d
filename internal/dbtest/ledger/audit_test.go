package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"maps"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// audit compares the ledger with the promises and with the database, after all
// is done. What does not agree is in faults.
func (l *ledger) audit(ctx context.Context, in *sqlinbox.Inbox, db *sql.DB) (sum, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := sum{count: make(map[webhook.State]int), types: make(map[string]map[webhook.State]int)}
	for _, line := range l.lines {
		l.balance(line)
		total.add(line)
	}
	for key, names := range l.order {
		l.inOrder(key, names)
	}
	if total.count[webhook.Superseded] == 0 {
		l.faults.add("no delivery of a burst was superseded")
	}
	rows := 0
	for r, err := range in.All(ctx, webhook.Filter{}) {
		if err != nil {
			return total, err
		}
		rows++
		l.compare(r)
	}
	if rows != len(l.lines) {
		l.faults.add("the database has %d deliveries, the ledger %d", rows, len(l.lines))
	}
	stats, err := in.Stats(ctx)
	if err != nil {
		return total, err
	}
	if !maps.Equal(stats.Count, total.count) {
		l.faults.add("the database counts %v, the ledger %v", stats.Count, total.count)
	}
	if !maps.EqualFunc(stats.Types, total.types, maps.Equal[map[webhook.State]int]) {
		l.faults.add("the database counts %v by type, the ledger %v", stats.Types, total.types)
	}
	for table, want := range map[string]int{"hookhouse_bodies": len(l.lines), "hookhouse_dedup_keys": total.marks} {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return total, err
		}
		if n != want {
			l.faults.add("%s has %d rows, the ledger %d", table, n, want)
		}
	}
	return total, nil
}

// balance holds one event to what was promised of it.
func (l *ledger) balance(e *line) {
	if e.stored != 1 {
		l.faults.add("%s was stored %d times", e.name, e.stored)
	}
	if want := number(e.twice); e.refused != want {
		l.faults.add("%s was refused as a duplicate %d times, want %d", e.name, e.refused, want)
	}
	switch {
	case e.finished && e.runs != e.fails+1:
		l.faults.add("%s: %d runs, want %d", e.name, e.runs, e.fails+1)
	case !e.finished && (e.promise != burst || e.last):
		l.faults.add("%s was acknowledged and lost", e.name)
	case e.over != e.runs:
		l.faults.add("%s: %d runs of %d have ended", e.name, e.over, e.runs)
	}
}

// inOrder: what was acknowledged before another arrived never runs after it.
func (l *ledger) inOrder(key string, names []string) {
	earliest := l.clock // acknowledgement of those that ran later
	for i := len(names) - 1; i >= 0; i-- {
		e := l.lines[names[i]]
		if e.begun > earliest {
			l.faults.add("%s: %s ran before one that was there before it", key, e.name)
		}
		earliest = min(earliest, e.acknowledged)
	}
}

// compare holds a row to the ledger's line.
func (l *ledger) compare(r webhook.Record) {
	e := l.lines[r.Delivery.ID]
	switch {
	case e == nil:
		l.faults.add("nobody sent %s", r.Delivery.UID)
	case r.Delivery.UID != e.uid:
		l.faults.add("%s is stored as %s, acknowledged as %s", e.name, r.Delivery.UID, e.uid)
	case r.State != e.state() || r.Attempt != e.runs || r.Fence != int64(e.runs):
		l.faults.add("%s is %s after %d attempts with fence %d, by the ledger %s after %d", e.name, r.State, r.Attempt, r.Fence, e.state(), e.runs)
	}
}

// state is where the event must have ended, by its runs.
func (e *line) state() webhook.State {
	switch {
	case !e.finished:
		return webhook.Superseded
	case e.permanent:
		return webhook.Dead
	default:
		return webhook.Done
	}
}

// A sum is the ledger in numbers.
type sum struct {
	count                            map[webhook.State]int
	types                            map[string]map[webhook.State]int
	put, marks, refused, runs, again int
}

func (s *sum) add(e *line) {
	byState := s.types[string(e.promise)]
	if byState == nil {
		byState = make(map[webhook.State]int)
		s.types[string(e.promise)] = byState
	}
	byState[e.state()]++
	s.count[e.state()]++
	s.put += e.stored
	s.marks += number(e.marked())
	s.refused += e.refused
	s.runs += e.runs
	s.again += max(e.runs-1, 0)
}

func (s sum) String() string {
	return fmt.Sprintf("%d put, %d more refused as duplicates; %d runs, %d of them retries; %d done, %d dead, %d superseded",
		s.put, s.refused, s.runs, s.again, s.count[webhook.Done], s.count[webhook.Dead], s.count[webhook.Superseded])
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

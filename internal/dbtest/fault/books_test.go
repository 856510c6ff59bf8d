package fault_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// laws are queries that count what must not be: whatever went wrong, nothing is
// half written.
var laws = []struct{ name, query string }{
	{"deliveries without a body", `hookhouse_deliveries d WHERE NOT EXISTS (SELECT 1 FROM hookhouse_bodies b WHERE b.id = d.id)`},
	{"bodies without a delivery", `hookhouse_bodies b WHERE NOT EXISTS (SELECT 1 FROM hookhouse_deliveries d WHERE d.id = b.id)`},
	{"dedup keys of nothing", `hookhouse_dedup_keys m WHERE m.state IS NULL AND NOT EXISTS (SELECT 1 FROM hookhouse_deliveries d WHERE d.uid = m.uid)`},
	{"replays of nothing", `hookhouse_replays p WHERE NOT EXISTS (SELECT 1 FROM hookhouse_deliveries d WHERE d.uid = p.uid)`},
	{"deliveries behind nobody", `hookhouse_deliveries b WHERE b.state = 'blocked' AND NOT EXISTS (
		SELECT 1 FROM hookhouse_deliveries h WHERE h.source = b.source AND h.ordering_key = b.ordering_key AND h.state IN ('waiting', 'claimed'))`},
	{"deliveries without a key behind another", `hookhouse_deliveries WHERE ordering_key = '' AND state = 'blocked'`},
	{"finished without an end", `hookhouse_deliveries WHERE state IN ('done', 'dead', 'superseded', 'ignored') AND finished_at IS NULL`},
	{"unfinished with an end", `hookhouse_deliveries WHERE state IN ('waiting', 'blocked', 'claimed') AND finished_at IS NOT NULL`},
	{"schema versions beyond one", `hookhouse_schema s WHERE (SELECT count(*) FROM hookhouse_schema) <> 1`},
}

// inspect checks the laws, and the dedup keys of each delivery.
func (r *rig) inspect(when string) {
	var all []string
	for n, law := range laws {
		all = append(all, fmt.Sprintf("SELECT %d, count(*) FROM %s", n, law.query))
	}
	for n, count := range r.numbers(strings.Join(all, " UNION ALL ")) {
		if count != 0 {
			r.complain("%s there are %d %s", when, count, laws[n].name)
		}
	}
	marks := r.counts("SELECT uid, count(*) FROM hookhouse_dedup_keys GROUP BY uid")
	there := r.counts("SELECT uid, 1 FROM hookhouse_deliveries")
	for uid, m := range r.messages {
		if want := (there[uid] + number(r.swept[uid])) * len(m.marks); marks[uid] != want {
			r.complain("%s %s, as %s, has %d dedup keys, want %d", when, m.name, uid, marks[uid], want)
		}
	}
}

// settleAccounts compares what the senders were told with what is there.
// Doubled tells that an answer may have been lost.
func (r *rig) settleAccounts(doubled bool) {
	stored := r.counts("SELECT uid, 1 FROM hookhouse_deliveries")
	for _, m := range r.order {
		there := slices.DeleteFunc(slices.Clone(m.uids), func(uid string) bool { return stored[uid] == 0 && !r.swept[uid] })
		most := 1
		if len(m.marks) == 0 && doubled {
			most = 2 // sent again, and nothing tells that it is the same
		}
		if len(there) < 1 || len(there) > most {
			r.complain("%s is there %d times, as %v", m.name, len(there), there)
		}
		for _, uid := range m.known {
			if !slices.Contains(there, uid) {
				r.complain("%s was acknowledged as %s, which is not there", m.name, uid)
			}
		}
	}
	for uid := range stored {
		if r.messages[uid] == nil {
			r.complain("%s is there and was never sent", uid)
		}
	}
	if n := r.count("hookhouse_deliveries WHERE state NOT IN ('done', 'superseded')"); n != 0 {
		r.complain("%d are not done: %s", n, r.list("state NOT IN ('done', 'superseded')"))
	}
}

// finals returns the UIDs of what is finished, and of the rest.
func (r *rig) finals() (final, open []string) {
	return r.uids("finished_at IS NOT NULL"), r.uids("finished_at IS NULL")
}

func (r *rig) uids(where string) []string {
	return slices.Sorted(maps.Keys(r.counts("SELECT uid, 1 FROM hookhouse_deliveries WHERE " + where)))
}

func (r *rig) list(where string) string {
	var b strings.Builder
	for _, uid := range r.uids(where) {
		var state, key, reason string
		if err := r.eye.QueryRow("SELECT state, ordering_key, reason FROM hookhouse_deliveries WHERE uid = '"+uid+"'").Scan(&state, &key, &reason); err != nil {
			r.complain("%v", err)
		}
		name := "?"
		if m := r.messages[uid]; m != nil {
			name = m.name
		}
		fmt.Fprintf(&b, "%s (%s) is %s %s; ", name, uid, state, reason)
	}
	return b.String()
}

// numbers is what a query of (number, number) gives, counts of (text, number).
func (r *rig) numbers(query string) map[int]int   { return read[int](r, query) }
func (r *rig) counts(query string) map[string]int { return read[string](r, query) }

func read[K comparable](r *rig, query string) map[K]int {
	found := make(map[K]int)
	rows, err := r.eye.Query(query)
	if err != nil {
		r.complain("%v", err)
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var k K
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			r.complain("%v", err)
		}
		found[k] = n
	}
	if err := rows.Err(); err != nil {
		r.complain("%v", err)
	}
	return found
}

func (r *rig) count(what string) int {
	var n int
	if err := r.eye.QueryRow("SELECT count(*) FROM " + what).Scan(&n); err != nil {
		r.complain("%s: %v", what, err)
	}
	return n
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

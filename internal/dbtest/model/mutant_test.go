package model

import (
	"database/sql/driver"
	"slices"
	"strings"
	"sync/atomic"
)

// A wrong is a fault put into the inbox from outside: what is sent to the database
// in the place of its own statements.
type wrong struct {
	name  string
	kinds []string // of the faults that it must lead to
	// instead returns another statement, and whether it takes the same arguments.
	// An empty one leaves it as it is.
	instead func(p *player, name, text string) (other string, same bool)
	used    atomic.Bool // in the place of any
}

// right is the inbox as it is.
var right = &wrong{instead: func(*player, string, string) (string, bool) { return "", false }}

// rewrite returns what is sent in the place of a statement.
func (w *wrong) rewrite(p *player, name, text string, args []driver.NamedValue) (string, []driver.NamedValue) {
	other, same := w.instead(p, name, text)
	if other == "" {
		return text, args
	}
	w.used.Store(true)
	if !same {
		args = nil
	}
	return other, args
}

// isFound reports whether r fails as it must.
func (w *wrong) isFound(r *report) bool {
	return slices.ContainsFunc(r.faults, func(fault string) bool {
		kind, _, _ := strings.Cut(fault, ":")
		return slices.Contains(w.kinds, kind)
	})
}

// wrongs are faults that the inbox once had, and others like them.
var wrongs = []*wrong{
	{
		name:  "SettleTx and PutTx take any isolation",
		kinds: []string{"stuck", "order"},
		instead: func(_ *player, _, text string) (string, bool) {
			if strings.Contains(text, "current_setting('transaction_isolation')") {
				return "SELECT 'read committed'", false
			}
			return "", false
		},
	},
	{
		name:  "a restart holds no more than the head there is, and takes it for granted that there is one",
		kinds: []string{"stuck", "order"},
		instead: func(p *player, name, text string) (string, bool) {
			if p.doing != replaying && p.doing != putting || name != "lock" && name != "try_lock" {
				return "", false
			}
			return strings.NewReplacer("pg_try_advisory_xact_lock", "unlocked", "'none'", "'head'", "'again'", "'head'").Replace(text), true
		},
	},
	{
		name:  "a redelivery takes what it does not find for one that was revived often enough",
		kinds: []string{"swallowed"},
		instead: func(p *player, name, text string) (string, bool) {
			if p.doing != putting || name != "find" && name != "try_find" {
				return "", false
			}
			return "WITH f AS (" + text + ") SELECT * FROM f UNION ALL SELECT 1, 1, 'dead', '', '', 0, 0, '', 9 WHERE NOT EXISTS (SELECT 1 FROM f)", true
		},
	},
	{
		name:  "a settlement does not bring the next of its key forward",
		kinds: []string{"stuck"},
		instead: func(p *player, name, _ string) (string, bool) {
			if name != "promote" && name != "promote_group" || p.doing != settling {
				return "", false
			}
			return "SELECT 1", false
		},
	},
}

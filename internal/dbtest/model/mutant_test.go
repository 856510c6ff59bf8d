package model

import (
	"database/sql/driver"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// A mutant is an inbox with a fault: some of its statements are replaced on their
// way to the database.
type mutant struct {
	name   string
	faults []string // of the faults that it must lead to
	// replace returns another statement, and whether it takes the same arguments.
	// An empty one means that the statement is not replaced.
	replace func(p *client, name, text string) (other string, same bool)
	used    atomic.Bool // in the place of any
}

// original is the inbox as it is.
var original = &mutant{replace: func(*client, string, string) (string, bool) { return "", false }}

// rewrite returns the statement to send, with its arguments.
func (w *mutant) rewrite(p *client, name, text string, args []driver.NamedValue) (string, []driver.NamedValue) {
	other, same := w.replace(p, name, text)
	if other == "" {
		return text, args
	}
	w.used.Store(true)
	if !same {
		args = nil
	}
	return other, args
}

// isFound reports whether r has one of the faults that the mutant leads to.
func (w *mutant) isFound(r *report) bool {
	return slices.ContainsFunc(r.faults, func(fault string) bool {
		kind, _, _ := strings.Cut(fault, ":")
		return slices.Contains(w.faults, kind)
	})
}

// mutants have faults that the inbox once had, and similar ones.
var mutants = []*mutant{
	{
		name:   "SettleTx and PutTx accept any isolation",
		faults: []string{"stuck", "order"},
		replace: func(_ *client, _, text string) (string, bool) {
			if strings.Contains(text, "current_setting('transaction_isolation')") {
				return "SELECT 'read committed'", false
			}
			return "", false
		},
	},
	{
		name:   "a restart locks only the head, and assumes that there is one",
		faults: []string{"stuck", "order"},
		replace: func(p *client, name, text string) (string, bool) {
			if p.doing != replaying && p.doing != putting || name != "lock" && name != "try_lock" {
				return "", false
			}
			return strings.NewReplacer("pg_try_advisory_xact_lock", "unlocked", "'none'", "'head'", "'again'", "'head'").Replace(text), true
		},
	},
	{
		name:   "a redelivery that finds nothing assumes that the delivery was revived too often",
		faults: []string{"swallowed"},
		replace: func(p *client, name, text string) (string, bool) {
			if p.doing != putting || name != "find" && name != "try_find" {
				return "", false
			}
			return "WITH f AS (" + text + ") SELECT * FROM f UNION ALL SELECT 1, 1, 'dead', '', '', 0, 0, '', 9, '' WHERE NOT EXISTS (SELECT 1 FROM f)", true
		},
	},
	{
		name:   "a burst supersedes the deliveries of other types",
		faults: []string{"superseded"},
		replace: func(_ *client, name, text string) (string, bool) {
			if name != "supersede" {
				return "", false
			}
			return regexp.MustCompile(`type (\|\| '' )?= (\$\d)::text`).ReplaceAllString(text, "$2::text <> ''"), true
		},
	},
	{
		name:   "a superseded head is followed by nothing",
		faults: []string{"order", "stuck"},
		replace: func(p *client, name, _ string) (string, bool) {
			if name != "promote" || p.doing != putting {
				return "", false
			}
			return "SELECT 1", false
		},
	},
	{
		name:   "a delivery is due before its NotBefore",
		faults: []string{"early"},
		replace: func(_ *client, name, text string) (string, bool) {
			if name != "insert" && name != "insert_one" {
				return "", false
			}
			return strings.NewReplacer("greatest(f.not_before,", "coalesce(", "greatest($", "coalesce(0 * $").Replace(text), true
		},
	},
	{
		name:   "a settlement does not promote the next delivery of its key",
		faults: []string{"stuck"},
		replace: func(p *client, name, _ string) (string, bool) {
			if name != "promote" && name != "promote_group" || p.doing != settling {
				return "", false
			}
			return "SELECT 1", false
		},
	},
	{
		name:   "a burial does not promote the next delivery of its key",
		faults: []string{"stuck"},
		replace: func(p *client, name, _ string) (string, bool) {
			if name != "promote" || p.doing != burying {
				return "", false
			}
			return "SELECT 1", false
		},
	},
	{
		name:   "a burial does not lock its key",
		faults: []string{"stuck"},
		replace: func(p *client, name, _ string) (string, bool) {
			if name != "lock" || p.doing != burying {
				return "", false
			}
			return "SELECT 'head'", false
		},
	},
	{
		name:   "a retry that is released stays behind another retry",
		faults: []string{"held back"},
		replace: func(_ *client, name, text string) (string, bool) {
			if name != "demote_for_released" {
				return "", false
			}
			return strings.ReplaceAll(text, "retry_out_of_order = 1 OR ", ""), true
		},
	},
	{
		name:   "a claim takes paused types",
		faults: []string{"paused"},
		replace: func(_ *client, name, text string) (string, bool) {
			if name != "claim" {
				return "", false
			}
			return strings.ReplaceAll(text, "FROM hookhouse_pauses", "FROM hookhouse_pauses WHERE false"), true
		},
	},
}

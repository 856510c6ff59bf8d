package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
)

// A ledger knows of each target what is to be deployed and what was, in a table
// beside the inbox. One host has one: containers are named per host.
type ledger struct {
	db       *sql.DB
	numbered bool // placeholders are $1, $2
}

// An entry is what the ledger knows of a target. The zero value is nothing.
type entry struct {
	rule     string  // under which it was written; another one starts anew
	wanted   release // no tag: nothing is
	deployed release
	digest   string // of deployed
	previous string // the image to go back to while a compose deploy is under way
	rejected bool   // the image of wanted was started and does not run
}

func openLedger(ctx context.Context, s *store) (*ledger, error) {
	l := &ledger{db: s.db, numbered: s.postgres}
	_, err := l.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS dockerhub_deploy (
		target            TEXT PRIMARY KEY,
		rule              TEXT NOT NULL DEFAULT '',
		wanted            TEXT NOT NULL DEFAULT '',
		wanted_received   BIGINT NOT NULL DEFAULT 0,
		deployed          TEXT NOT NULL DEFAULT '',
		deployed_received BIGINT NOT NULL DEFAULT 0,
		digest            TEXT NOT NULL DEFAULT '',
		previous          TEXT NOT NULL DEFAULT '',
		rejected          BOOLEAN NOT NULL DEFAULT FALSE)`)
	return l, err
}

const columns = `rule, wanted, wanted_received, deployed, deployed_received, digest, previous, rejected`

// want notes in tx that a release is to be deployed, and reports whether it is:
// not where a newer one is wanted or deployed already. A new push is tried, also
// of an image that was rejected. From then on until tx
// ends no other transaction gets beyond this point for the target.
func (l *ledger) want(ctx context.Context, tx *sql.Tx, r rule, rel release) (bool, error) {
	e, err := scanEntry(tx.QueryRowContext(ctx, l.sql(`INSERT INTO dockerhub_deploy (target) VALUES (?)
		ON CONFLICT (target) DO UPDATE SET target = excluded.target RETURNING `+columns), r.target))
	if err != nil {
		return false, err
	}
	if e.rule != r.text {
		e = entry{rule: r.text, previous: e.previous}
	}
	if e.wanted.tag != "" && r.older(rel, e.wanted) || e.deployed.tag != "" && r.older(rel, e.deployed) {
		return false, nil
	}
	_, err = tx.ExecContext(ctx, l.sql(`UPDATE dockerhub_deploy SET rule = ?, wanted = ?, wanted_received = ?,
		deployed = ?, deployed_received = ?, digest = ?, rejected = FALSE WHERE target = ?`),
		e.rule, string(rel.tag), rel.received.UnixMicro(), string(e.deployed.tag), e.deployed.received.UnixMicro(), e.digest, r.target)
	return err == nil, err
}

// read returns the zero entry where there is none.
func (l *ledger) read(ctx context.Context, target string) (entry, error) {
	e, err := scanEntry(l.db.QueryRowContext(ctx, l.sql(`SELECT `+columns+` FROM dockerhub_deploy WHERE target = ?`), target))
	if errors.Is(err, sql.ErrNoRows) {
		return entry{}, nil
	}
	return e, err
}

// succeeded notes that rel runs. A newer one that is wanted meanwhile stays so.
func (l *ledger) succeeded(ctx context.Context, target string, rel release, digest string) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET deployed = ?, deployed_received = ?, digest = ?, previous = '', rejected = FALSE,
		wanted = CASE WHEN wanted_received = ? THEN '' ELSE wanted END WHERE target = ?`,
		string(rel.tag), rel.received.UnixMicro(), digest, rel.received.UnixMicro(), target)
}

// failed notes that rel is not wanted any more, so that an older one than it
// may come; never one that is older than what runs.
func (l *ledger) failed(ctx context.Context, target string, rel release) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET wanted = '' WHERE target = ? AND wanted_received = ?`,
		target, rel.received.UnixMicro())
}

// reject notes that the image of rel does not run, unless a newer push is wanted
// meanwhile. So it is not tried again, also where going back took another
// attempt.
func (l *ledger) reject(ctx context.Context, target string, rel release) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET rejected = TRUE WHERE target = ? AND wanted_received = ?`,
		target, rel.received.UnixMicro())
}

// remember notes the image to go back to; empty: none.
func (l *ledger) remember(ctx context.Context, target, previous string) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET previous = ? WHERE target = ?`, previous, target)
}

func (l *ledger) exec(ctx context.Context, query string, args ...any) error {
	_, err := l.db.ExecContext(ctx, l.sql(query), args...)
	return err
}

// sql numbers the placeholders of a statement where the database wants that.
func (l *ledger) sql(query string) string {
	if !l.numbered {
		return query
	}
	var b strings.Builder
	for n, part := range strings.Split(query, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
	}
	return b.String()
}

func scanEntry(row *sql.Row) (entry, error) {
	var e entry
	var wanted, deployed string
	var wantedAt, deployedAt int64
	err := row.Scan(&e.rule, &wanted, &wantedAt, &deployed, &deployedAt, &e.digest, &e.previous, &e.rejected)
	e.wanted = release{dockerhub.Tag(wanted), time.UnixMicro(wantedAt)}
	e.deployed = release{dockerhub.Tag(deployed), time.UnixMicro(deployedAt)}
	return e, err
}

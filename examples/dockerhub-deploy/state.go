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

// A stateStore stores the wanted and the deployed release of each target, in a
// table beside the inbox. Each host needs its own, because container names are
// unique per host only.
type stateStore struct {
	db                 *sql.DB
	dollarPlaceholders bool // PostgreSQL: $1 instead of ?
}

// A targetState is the stored state of a target. The zero value means that nothing
// is stored.
type targetState struct {
	rule     string  // the rule of the last push; a push under another rule starts with an empty state
	wanted   release // without a tag, nothing is wanted
	deployed release
	digest   string // digest of deployed
	previous string // image to roll back to during a deployment by compose
	rejected bool   // the image of wanted was started and is not healthy
}

func newStateStore(ctx context.Context, s *store) (*stateStore, error) {
	l := &stateStore{db: s.db, dollarPlaceholders: s.postgres}
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

const stateColumns = `rule, wanted, wanted_received, deployed, deployed_received, digest, previous, rejected`

// setWanted records in tx that a release is wanted. It reports false and records
// nothing if a newer release is already wanted or deployed. A new push is accepted
// even if its image was rejected before. The call locks the target's row until tx
// ends.
func (l *stateStore) setWanted(ctx context.Context, tx *sql.Tx, r rule, rel release) (bool, error) {
	e, err := scanState(tx.QueryRowContext(ctx, l.rebind(`INSERT INTO dockerhub_deploy (target) VALUES (?)
		ON CONFLICT (target) DO UPDATE SET target = excluded.target RETURNING `+stateColumns), r.target))
	if err != nil {
		return false, err
	}
	if e.rule != r.text {
		e = targetState{rule: r.text, previous: e.previous}
	}
	if e.wanted.tag != "" && r.older(rel, e.wanted) || e.deployed.tag != "" && r.older(rel, e.deployed) {
		return false, nil
	}
	_, err = tx.ExecContext(ctx, l.rebind(`UPDATE dockerhub_deploy SET rule = ?, wanted = ?, wanted_received = ?,
		deployed = ?, deployed_received = ?, digest = ?, rejected = FALSE WHERE target = ?`),
		e.rule, string(rel.tag), rel.received.UnixMicro(), string(e.deployed.tag), e.deployed.received.UnixMicro(), e.digest, r.target)
	return err == nil, err
}

// read returns the state of a target, or the zero value if there is none.
func (l *stateStore) read(ctx context.Context, target string) (targetState, error) {
	e, err := scanState(l.db.QueryRowContext(ctx, l.rebind(`SELECT `+stateColumns+` FROM dockerhub_deploy WHERE target = ?`), target))
	if errors.Is(err, sql.ErrNoRows) {
		return targetState{}, nil
	}
	return e, err
}

// setDeployed records that rel runs. A newer release that became wanted meanwhile
// remains wanted.
func (l *stateStore) setDeployed(ctx context.Context, target string, rel release, digest string) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET deployed = ?, deployed_received = ?, digest = ?, previous = '', rejected = FALSE,
		wanted = CASE WHEN wanted_received = ? THEN '' ELSE wanted END WHERE target = ?`,
		string(rel.tag), rel.received.UnixMicro(), digest, rel.received.UnixMicro(), target)
}

// clearWanted records that rel is no longer wanted, so that an older release may
// become wanted, but none that is older than the deployed one.
func (l *stateStore) clearWanted(ctx context.Context, target string, rel release) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET wanted = '' WHERE target = ? AND wanted_received = ?`,
		target, rel.received.UnixMicro())
}

// setRejected records that the image of rel does not run, unless a newer push
// became wanted meanwhile. The image is then not tried again, even if the rollback
// needs another attempt.
func (l *stateStore) setRejected(ctx context.Context, target string, rel release) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET rejected = TRUE WHERE target = ? AND wanted_received = ?`,
		target, rel.received.UnixMicro())
}

// setPrevious records the image to roll back to, or none if previous is empty.
func (l *stateStore) setPrevious(ctx context.Context, target, previous string) error {
	return l.exec(ctx, `UPDATE dockerhub_deploy SET previous = ? WHERE target = ?`, previous, target)
}

func (l *stateStore) exec(ctx context.Context, query string, args ...any) error {
	_, err := l.db.ExecContext(ctx, l.rebind(query), args...)
	return err
}

// rebind converts the placeholders of a statement to those of the database.
func (l *stateStore) rebind(query string) string {
	if !l.dollarPlaceholders {
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

func scanState(row *sql.Row) (targetState, error) {
	var e targetState
	var wanted, deployed string
	var wantedAt, deployedAt int64
	err := row.Scan(&e.rule, &wanted, &wantedAt, &deployed, &deployedAt, &e.digest, &e.previous, &e.rejected)
	e.wanted = release{dockerhub.Tag(wanted), time.UnixMicro(wantedAt)}
	e.deployed = release{dockerhub.Tag(deployed), time.UnixMicro(deployedAt)}
	return e, err
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// A last is how a site or a job ended last, as notify_outcomes has it. The zero
// value is that of one that has never ended.
type last struct {
	subject string // of its row
	failed  bool
	mark    string
	sure    bool   // that it is the same site's
	stale   string // a row that goes when this one is replaced; empty for none
}

// readLast returns how the subject of an outcome ended last. A subject is type
// and ordering key of the delivery.
//
// Where the ordering key does not tell the site, the subject may be several:
// jobs of the same name, of sites whose hooks were made by hand and do not name
// them. Then there is a row for each host that runs have told, behind " @", and
// one without for runs that tell none. As long as there is but one host, those
// are of it. Where there are more, or none, it is not sure that two are of the
// same site.
func readLast(ctx context.Context, tx *sql.Tx, subject string, o *outcome) (last, error) {
	if o.placed {
		l, err := readRow(ctx, tx, subject)
		l.sure = true
		return l, err
	}
	hosts, err := readHosts(ctx, tx, subject)
	if err != nil {
		return last{}, err
	}
	host := o.host
	if host == "" && len(hosts) == 1 {
		host = hosts[0]
	}
	if host == "" {
		l, err := readRow(ctx, tx, subject)
		return l, err
	}
	l, err := readRow(ctx, tx, subject+atHost+host)
	if err == nil && len(hosts) == 0 { // the first host told: what went before is of it
		l, err = readRow(ctx, tx, subject)
		l.subject, l.stale = subject+atHost+host, subject
	}
	l.sure = true
	return l, err
}

// atHost stands between a subject and the host of its runs.
const atHost = " @"

func readRow(ctx context.Context, tx *sql.Tx, subject string) (l last, err error) {
	l.subject = subject
	err = tx.QueryRowContext(ctx, `SELECT failed, mark FROM notify_outcomes WHERE subject = $1`, subject).Scan(&l.failed, &l.mark)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return l, err
}

// readHosts returns the hosts that runs of a subject have told.
func readHosts(ctx context.Context, tx *sql.Tx, subject string) (hosts []string, err error) {
	prefix := subject + atHost
	rows, err := tx.QueryContext(ctx, `SELECT subject FROM notify_outcomes WHERE substr(subject, 1, length($1)) = $1`, prefix)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		hosts = append(hosts, strings.TrimPrefix(text, prefix))
	}
	return hosts, rows.Err()
}

// replace notes a new outcome in place of the last one.
func (l last) replace(ctx context.Context, tx *sql.Tx, failed bool, mark string) error {
	if l.stale != "" {
		if _, err := tx.ExecContext(ctx, `DELETE FROM notify_outcomes WHERE subject = $1`, l.stale); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO notify_outcomes (subject, failed, mark) VALUES ($1, $2, $3)
		ON CONFLICT (subject) DO UPDATE SET failed = excluded.failed, mark = excluded.mark`, l.subject, failed, mark)
	return err
}

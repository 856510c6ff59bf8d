package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// A previous is the previous outcome of a site or a job: a row of notify_outcomes. It
// is the zero value if there is no previous outcome.
type previous struct {
	subject  string // key of the row
	failed   bool
	identity string // id and end time of the outcome, in the column mark
	sameSite bool   // the outcome certainly belongs to the same site
	obsolete string // key of a row to delete when this one is replaced, if not empty
}

// readPrevious returns the previous outcome of a subject. A subject is the type and
// the ordering key of a delivery.
//
// If the ordering key does not contain the site, one subject may stand for
// several jobs: jobs of the same name at different sites, whose hooks were created
// by hand and do not name their site. Then there is a row for each host that runs
// have named, with " @" and the host appended to the subject, and a row without a
// host for runs that name none. While exactly one host is known, those runs belong
// to it. With no known host, or more than one, two runs without a host may belong
// to different sites.
func readPrevious(ctx context.Context, tx *sql.Tx, subject string, o *outcome) (previous, error) {
	if o.hasSite {
		l, err := readRow(ctx, tx, subject)
		l.sameSite = true
		return l, err
	}
	hosts, err := readHosts(ctx, tx, subject)
	if err != nil {
		return previous{}, err
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
	if err == nil && len(hosts) == 0 { // the first known host: earlier runs belong to it
		l, err = readRow(ctx, tx, subject)
		l.subject, l.obsolete = subject+atHost+host, subject
	}
	l.sameSite = true
	return l, err
}

// ended returns the end time of the outcome, zero if it is unknown.
func (l previous) ended() time.Time {
	at, err := time.Parse(time.RFC3339Nano, l.identity[strings.LastIndex(l.identity, " ")+1:])
	if err != nil {
		return time.Time{}
	}
	return at
}

// atHost separates a subject from the host of its runs.
const atHost = " @"

func readRow(ctx context.Context, tx *sql.Tx, subject string) (l previous, err error) {
	l.subject = subject
	err = tx.QueryRowContext(ctx, `SELECT failed, mark FROM notify_outcomes WHERE subject = $1`, subject).Scan(&l.failed, &l.identity)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return l, err
}

// readHosts returns the hosts that runs of a subject have named.
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

// replace stores a new outcome in place of the previous one.
func (l previous) replace(ctx context.Context, tx *sql.Tx, failed bool, identity string) error {
	if l.obsolete != "" {
		if _, err := tx.ExecContext(ctx, `DELETE FROM notify_outcomes WHERE subject = $1`, l.obsolete); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO notify_outcomes (subject, failed, mark) VALUES ($1, $2, $3)
		ON CONFLICT (subject) DO UPDATE SET failed = excluded.failed, mark = excluded.mark`, l.subject, failed, identity)
	return err
}

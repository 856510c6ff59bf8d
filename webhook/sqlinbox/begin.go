package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	// writerWait is how long a transaction waits for another writer.
	writerWait = 5 * time.Second
	// One that waits for another process looks again after half of writerLook to
	// one and a half of it.
	writerLook = time.Millisecond
)

// untilFree repeats try while another process has SQLite's file, and looks
// often: one who writes without a pause leaves it free for microseconds at a
// time, and SQLite's own way of waiting, which ends up looking ten times a
// second, can miss them all.
func untilFree(ctx context.Context, wait time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		err := try()
		if err == nil || !isBusy(err) || !pause(ctx, writerLook/2+rand.N(writerLook)) {
			return err
		}
	}
}

// isBusy: another has SQLite's file.
func isBusy(err error) bool {
	return strings.Contains(err.Error(), "database is locked") || strings.Contains(err.Error(), "SQLITE_BUSY")
}

// pause reports whether ctx outlived d.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin makes p the writer of the database. The settings are not prepared:
// SQLite heeds them when they are, not when they run. A pin that never waits has
// them once and for all.
func (p *pin) begin(ctx context.Context, d *Dialect) error {
	if p.waits {
		if _, err := p.conn.ExecContext(ctx, d.hurried); err != nil {
			return err
		}
	}
	err := untilFree(ctx, writerWait, func() error {
		_, err := p.ExecContext(ctx, d.queries["begin"].text)
		return err
	})
	if err == nil && p.waits {
		_, err = p.conn.ExecContext(ctx, d.patient)
	}
	return err
}

// hurry finds out whether p waits for anybody once it is the writer. With a
// write-ahead log it does not: readers are in nobody's way.
func (p *pin) hurry(ctx context.Context, d *Dialect) error {
	var mode string
	err := queryText(ctx, p.conn, "PRAGMA journal_mode", nil, func(row *sql.Rows) error { return row.Scan(&mode) })
	if p.waits = mode != "wal"; err != nil || p.waits {
		return err
	}
	_, err = p.conn.ExecContext(ctx, d.hurried)
	return err
}

// beginTx begins a transaction of the program's own as a writer. Once begun, conn
// waits as long for other locks as the program has set it.
func (in *Inbox) beginTx(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	if !in.dialect.pinned {
		return conn.BeginTx(ctx, readCommitted)
	}
	var wait int
	if err := queryText(ctx, conn, "PRAGMA busy_timeout", nil, scanOne(&wait)); err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, in.dialect.hurried); err != nil {
		discard(conn)
		return nil, err
	}
	var tx *sql.Tx
	err := untilFree(ctx, writerWait, func() (err error) {
		tx, err = in.beginWriting(ctx, conn)
		return err
	})
	if _, failed := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", wait)); failed != nil {
		if err == nil {
			_ = tx.Rollback()
		}
		discard(conn)
		return nil, errors.Join(err, failed)
	}
	return tx, err
}

// beginWriting writes first, since a transaction that has read before may be
// refused.
func (in *Inbox) beginWriting(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if _, err := in.exec(ctx, tx, "ping", args{}); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

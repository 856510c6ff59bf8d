package statement

import (
	"context"
	"database/sql"
	"errors"
)

// A Session is where statements run: a *sql.DB, a *sql.Tx, a *sql.Conn or a [Conn].
type Session interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

var (
	_ Session = (*sql.DB)(nil)
	_ Session = (*sql.Tx)(nil)
	_ Session = (*sql.Conn)(nil)
	_ Session = (*Conn)(nil)
)

// Exec runs q on s and returns how many rows it changed. An empty q changes none.
func (q Query) Exec(ctx context.Context, s Session, a Args) (int64, error) {
	if q.Text == "" {
		return 0, nil
	}
	result, err := s.ExecContext(ctx, q.Text, q.Bind(a)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Each runs q on s and calls scan with each row. An empty q has no rows. Each stops
// at the first error of scan.
func (q Query) Each(ctx context.Context, s Session, a Args, scan func(row *sql.Rows) error) error {
	if q.Text == "" {
		return nil
	}
	return Each(ctx, s, q.Text, q.Bind(a), scan)
}

// Each runs text as the driver takes it and calls scan with each row. It stops at
// the first error of scan.
func Each(ctx context.Context, s Session, text string, values []any, scan func(row *sql.Rows) error) (err error) {
	rows, err := s.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

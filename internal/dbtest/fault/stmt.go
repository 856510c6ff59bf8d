package fault

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// A stmt is a prepared statement that breaks by the plan.
type stmt struct {
	driver.Stmt
	conn *conn
	text string
}

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

func (s *stmt) Close() error {
	if s.conn.dropped {
		return nil
	}
	delete(s.conn.stmts, s)
	return s.Stmt.Close()
}

func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	err = s.conn.plan.run(ctx, s.conn, s.text, func() (err error) {
		result, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return result, err
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.text, func() (driver.Rows, error) {
		return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	})
}

// rows are in memory: nothing fails between two of them, and they keep no part of the
// real connection open.
type rows struct {
	columns []string
	values  [][]driver.Value
}

// buffer reads r to its end and closes it.
func buffer(r driver.Rows) (driver.Rows, error) {
	b := &rows{columns: r.Columns()}
	for {
		values := make([]driver.Value, len(b.columns))
		err := r.Next(values)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		for i, v := range values {
			if bytes, ok := v.([]byte); ok {
				values[i] = append([]byte{}, bytes...) // the driver reuses it
			}
		}
		b.values = append(b.values, values)
	}
	return b, r.Close()
}

func (r *rows) Columns() []string { return r.columns }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

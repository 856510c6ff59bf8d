package statement

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
)

// A recorder is a driver whose queries have the rows 1, 2 and 3.
type recorder struct {
	mu       sync.Mutex
	ran      []string
	prepared []string
	closed   int // connections
}

func (r *recorder) Connect(context.Context) (driver.Conn, error) { return recorderConn{r}, nil }
func (r *recorder) Driver() driver.Driver                        { return nil }

func (r *recorder) record(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, text)
}

func (r *recorder) run() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ran)
}

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if got := r.run(); !slices.Equal(got, want) {
		t.Errorf("it ran %q, want %q", got, want)
	}
}

type recorderConn struct{ *recorder }

func (c recorderConn) Prepare(text string) (driver.Stmt, error) {
	c.prepared = append(c.prepared, text)
	return recorderStmt{c.recorder, text}, nil
}

func (c recorderConn) Begin() (driver.Tx, error) {
	c.record("begin")
	return recorderTx(c), nil
}

func (c recorderConn) Close() error {
	c.closed++
	return nil
}

type recorderTx struct{ *recorder }

func (x recorderTx) Commit() error {
	x.record("commit")
	return nil
}

func (x recorderTx) Rollback() error {
	x.record("rollback")
	return nil
}

type recorderStmt struct {
	*recorder
	text string
}

func (s recorderStmt) Close() error  { return nil }
func (s recorderStmt) NumInput() int { return -1 }

func (s recorderStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.record(fmt.Sprint(s.text, " ", args))
	return driver.RowsAffected(3), nil
}

func (s recorderStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.record(fmt.Sprint(s.text, " ", args))
	return new(recorderRows), nil
}

type recorderRows struct{ n int64 }

func (r *recorderRows) Columns() []string { return []string{"a"} }
func (r *recorderRows) Close() error      { return nil }

func (r *recorderRows) Next(row []driver.Value) error {
	if r.n++; r.n > 3 {
		return io.EOF
	}
	row[0] = r.n
	return nil
}

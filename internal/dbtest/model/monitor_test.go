package model

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A monitor asks the server which of its processes wait for a lock.
type monitor struct{ conn *pgx.Conn }

func newMonitor(ctx context.Context, dsn string) (*monitor, error) {
	c, err := pgx.Connect(ctx, dsn)
	return &monitor{c}, err
}

// waiting returns the processes that wait for a lock which another process holds.
func (m *monitor) waiting(ctx context.Context, pids []uint32) (map[uint32]bool, error) {
	list := make([]int32, len(pids))
	for i, pid := range pids {
		list[i] = int32(pid)
	}
	rows, err := m.conn.Query(ctx, "SELECT pid FROM unnest($1::int[]) AS p(pid) WHERE cardinality(pg_blocking_pids(pid)) > 0", list)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	waits := make(map[uint32]bool, len(found))
	for _, pid := range found {
		waits[uint32(pid)] = true
	}
	return waits, err
}

func (m *monitor) close() { _ = m.conn.Close(context.Background()) }

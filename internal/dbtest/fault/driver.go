package fault

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
)

// Open opens a database with a registered driver, and returns the plan by which it
// breaks. The plan is empty at first.
func Open(name, dsn string) (*sql.DB, *Plan, error) {
	inner, err := engine.Store{Driver: name, DSN: dsn}.Connector()
	if err != nil {
		return nil, nil, err
	}
	plan := new(Plan)
	db := sql.OpenDB(connector{inner, plan})
	db.SetMaxIdleConns(engine.IdleConns)
	return db, plan, nil
}

// A connector makes connections that break by the plan.
type connector struct {
	driver.Connector
	plan *Plan
}

// Connect does not break: a connection that was dropped must be replaced.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, plan: c.plan, stmts: make(map[*stmt]bool)}, nil
}

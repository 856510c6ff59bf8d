package fault

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// idleConns is how many idle connections a database keeps, as the documentation of the inbox
// advises.
const idleConns = 10

// Open opens a database with a registered driver, and returns the plan by which it
// breaks. The plan is empty at first.
func Open(name, dsn string) (*sql.DB, *Plan, error) {
	plain, err := sql.Open(name, dsn) // connects to nothing
	if err != nil {
		return nil, nil, err
	}
	inner := plain.Driver()
	if err := plain.Close(); err != nil {
		return nil, nil, err
	}
	plan := new(Plan)
	c := &connector{inner: inner, dsn: dsn, plan: plan}
	if d, ok := inner.(driver.DriverContext); ok {
		if c.open, err = d.OpenConnector(dsn); err != nil {
			return nil, nil, err
		}
	}
	db := sql.OpenDB(c)
	db.SetMaxIdleConns(idleConns)
	return db, plan, nil
}

// A connector makes connections that break by the plan.
type connector struct {
	inner driver.Driver
	dsn   string
	open  driver.Connector // nil for a driver without
	plan  *Plan
}

func (c *connector) Driver() driver.Driver { return c.inner }

// Connect does not break: a connection that was dropped must be replaced.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var inner driver.Conn
	var err error
	if c.open != nil {
		inner, err = c.open.Connect(ctx)
	} else {
		inner, err = c.inner.Open(c.dsn)
	}
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, plan: c.plan, stmts: make(map[*stmt]bool)}, nil
}

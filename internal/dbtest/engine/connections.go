package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

// connections lead to Server. The server starts a process for each, which costs it as much
// as hundreds of statements. So stores use them one after the other: what one has closed,
// another one gets as new.
var connections *pgxpool.Pool

func newConnections(s *postgres.Server) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(s.DSN())
	if err != nil {
		return nil, err
	}
	config.MaxConns = 150 // of 200: some stores have connections of their own
	config.AfterRelease = asNew
	return pgxpool.NewWithConfig(context.Background(), config)
}

// asNew ends all that a session has: settings, prepared statements, locks and temporary
// tables. It reports whether the connection can be used again.
func asNew(c *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.DeallocateAll(ctx); err != nil {
		return false
	}
	_, err := c.Exec(ctx, "DISCARD ALL")
	return err == nil
}

// reusing opens a store with a part of connections. It returns nil if the store is not on
// Server, or has settings besides its schema.
func (s Store) reusing() *sql.DB {
	if connections == nil {
		return nil
	}
	schema, ok := strings.CutPrefix(s.DSN, Server.DSN("search_path="))
	if !ok || strings.Contains(schema, "&") {
		return nil
	}
	return sql.OpenDB(schemaConnector{stdlib.GetPoolConnector(connections), schema})
}

// A schemaConnector connects to a schema.
type schemaConnector struct {
	driver.Connector
	schema string
}

func (c schemaConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx)
	if err != nil && ctx.Err() == nil {
		connections.Reset() // the server may have ended and started again
		conn, err = c.connect(ctx)
	}
	return conn, err
}

func (c schemaConnector) connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.(*stdlib.Conn).Conn().Exec(ctx, "SET search_path = "+c.schema); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

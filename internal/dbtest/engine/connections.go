package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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

// reusing returns what connects the store with connections that were used before. It
// returns nil if the store is not on Server, or has settings of the driver.
func (s Store) reusing() (driver.Connector, error) {
	if connections == nil {
		return nil, nil
	}
	text, ok := strings.CutPrefix(s.DSN, Server.DSN())
	if !ok {
		return nil, nil
	}
	config, err := pgx.ParseConfig(s.DSN)
	if err != nil {
		return nil, err
	}
	if strings.Count(text, "=") != len(config.RuntimeParams) { // some are of the driver
		return nil, nil
	}
	return session{stdlib.GetPoolConnector(connections), config.RuntimeParams}, nil
}

// A session connects to Server with settings.
type session struct {
	driver.Connector
	settings map[string]string
}

func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.connect(ctx)
	if err != nil && ctx.Err() == nil {
		connections.Reset() // the server may have ended and started again
		conn, err = s.connect(ctx)
	}
	return conn, err
}

func (s session) connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	var set strings.Builder
	for name, value := range s.settings {
		fmt.Fprintf(&set, "SELECT set_config('%s', '%s', false);", name, value)
	}
	if _, err := conn.(*stdlib.Conn).Conn().Exec(ctx, set.String()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

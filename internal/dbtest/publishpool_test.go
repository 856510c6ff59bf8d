package dbtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// poolCalls use a store whose pool has one connection.
var poolCalls = []struct {
	name string
	call func(ctx context.Context, s *sqlstore.Store) error
}{
	{"Migrate", func(ctx context.Context, s *sqlstore.Store) error { return s.Migrate(ctx) }},
	{"Check", func(ctx context.Context, s *sqlstore.Store) error { return s.Check(ctx) }},
	{"Create", func(ctx context.Context, s *sqlstore.Store) error {
		_, err := s.Create(ctx, endpoint("ep", "*"))
		return err
	}},
	{"Update", func(ctx context.Context, s *sqlstore.Store) error {
		_, err := s.Update(ctx, "ep", func(*publish.Endpoint) error { return nil })
		return err
	}},
	{"Record", func(ctx context.Context, s *sqlstore.Store) error {
		_, err := s.Record(ctx, attemptOf("ep", publish.Failed))
		return err
	}},
	{"Reseal", func(ctx context.Context, s *sqlstore.Store) error {
		_, err := s.Reseal(ctx)
		return err
	}},
	{"Sweep", func(ctx context.Context, s *sqlstore.Store) error {
		_, err := s.Sweep(ctx, time.Now(), 0)
		return err
	}},
}

// On SQLite the inbox may hold the only connection. Nothing waits for it.
func TestAPublishStoreRefusesThePoolThatHasNoConnectionForIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("")) // it keeps the connection that has written this
		db.SetMaxOpenConns(1)
		s, _ := loggedStore(t, in, sealKey("new"))
		for _, test := range poolCalls {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := test.call(ctx, s)
			cancel()
			if e.Dialect == sqlinbox.SQLite && !errors.Is(err, sqlinbox.ErrConnections) {
				t.Errorf("%s returned %v, want ErrConnections", test.name, err)
			}
			if e.Dialect == sqlinbox.PostgreSQL {
				wantNil(t, err)
			}
		}
	})
}

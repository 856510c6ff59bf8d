package pooler

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/grants"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestMain(m *testing.M) { engine.Main(m, engine.Memory()) }

// stores makes inboxes behind a pooler, each for a role and in the schema of that name, which
// is what the default search_path leads to. The pooler knows the names of the roles.
type stores struct {
	pooler *postgres.Pooler
	users  []string
	taken  atomic.Int64
}

// newStores starts pgbouncer. It returns nil if that is not installed, and prints so.
func newStores(t *testing.T) *stores {
	t.Helper()
	engine.PostgreSQL(t)
	s := &stores{users: make([]string, 1000)}
	for i := range s.users {
		s.users[i] = fmt.Sprintf("pooled%03d", i)
	}
	var err error
	s.pooler, err = engine.Server.Pooler(t.Context(), s.users)
	if errors.Is(err, postgres.ErrNoPooler) && os.Getenv("CI") != "true" {
		fmt.Println("left out:", err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pooler.Stop)
	return s
}

// open returns an inbox in an empty store. The owner of the tables migrates them, and the role
// of the inbox has no rights on them but those that the documentation lists.
func (s *stores) open(t *testing.T) *sqlinbox.Inbox {
	t.Helper()
	user := s.users[s.taken.Add(1)-1]
	owner := engine.Store{Driver: "pgx", DSN: engine.Server.DSN("search_path=" + user)}
	db := owner.DB(t)
	statements, err := grants.Read("../../../webhook/sqlinbox/doc.go", user, user)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE ROLE "+user+" LOGIN; CREATE SCHEMA "+user); err != nil {
		t.Fatal(err)
	}
	if err := sqlinbox.New(db, sqlinbox.PostgreSQL).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), strings.Join(statements, "\n")); err != nil {
		t.Fatal(err)
	}
	in, _ := engine.Store{Driver: "pgx", DSN: s.pooler.DSN(user)}.Inbox(t)
	return in
}

// sweeping opens inboxes that keep deliveries for a time.
func (s *stores) sweeping(t *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
	in := s.open(t)
	in.Retention, in.DeadRetention = retention, deadRetention
	in.Logger = slog.New(slog.DiscardHandler)
	return in
}

func TestTheLawsHoldThroughPgbouncer(t *testing.T) {
	s := newStores(t)
	if s == nil {
		return
	}
	open := func(t *testing.T) webhook.Inbox { return s.open(t) }
	t.Run("of an inbox", func(t *testing.T) { t.Parallel(); inboxtest.Run(t, open) })
	t.Run("of a sweeper", func(t *testing.T) { t.Parallel(); inboxtest.RunSweeper(t, s.sweeping) })
	t.Run("of an admin", func(t *testing.T) { t.Parallel(); inboxtest.RunAdmin(t, open) })
	t.Run("of attempts", func(t *testing.T) { t.Parallel(); inboxtest.RunAttempts(t, s.sweeping) })
}

package standby

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestMain(m *testing.M) {
	process.Main(func(ctx context.Context, c child) error { return c.run(ctx) })
	if err := postgres.Installed(); err != nil {
		fmt.Println("left out:", err)
		if os.Getenv("CI") == "true" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A pair is a primary server and its synchronous standby.
type pair struct{ primary, second *postgres.Server }

// newPair starts a pair and stops both at the end of the test.
func newPair(t *testing.T) *pair {
	t.Helper()
	primary, err := postgres.StartIn(t.Context(), engine.Memory(), "max_wal_size=256MB")
	must(t, err)
	t.Cleanup(primary.Stop)
	must(t, primary.Set(t.Context(), "synchronous_standby_names", "*"))
	p := &pair{primary: primary}
	p.second = newStandby(t, primary, "second")
	return p
}

// newStandby starts a standby and returns when commits wait for it.
func newStandby(t *testing.T, primary *postgres.Server, name string) *postgres.Server {
	t.Helper()
	s, err := primary.Standby(t.Context(), name)
	must(t, err)
	t.Cleanup(s.Stop)
	must(t, primary.AwaitStandby(t.Context(), name))
	return s
}

// freeze stops the standby until thaw, or the end of the test.
func (p *pair) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	must(t, p.second.Freeze())
	frozen := true
	thaw = func() {
		if frozen {
			frozen = false
			wantNil(t, p.second.Thaw())
		}
	}
	t.Cleanup(thaw)
	return thaw
}

// open returns an inbox on a server, with the settings of the DSN, as another process has it.
// It requires a standby.
func open(t *testing.T, s *postgres.Server, settings ...string) (*sqlinbox.Inbox, *sql.DB) {
	t.Helper()
	db := engine.Store{Driver: "pgx", DSN: s.DSN(settings...)}.DB(t)
	in := sqlinbox.New(db, sqlinbox.PostgreSQL)
	in.RequireStandby = true
	t.Cleanup(func() { wantNil(t, in.Close()) })
	return in, db
}

// awaitStandbyWait returns when a session waits for the standby to have its commit.
func awaitStandbyWait(t *testing.T, db *sql.DB) {
	t.Helper()
	must(t, wait.Until(t.Context(), "a commit waits for the standby", func() bool { return waiting(t, db) > 0 }))
}

// waiting is the number of sessions that wait for the standby.
func waiting(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n))
	return n
}

var uids atomic.Int64

// delivery returns a new delivery with a dedup key.
func delivery() *webhook.Delivery {
	uid := fmt.Sprintf("uid%06d", uids.Add(1))
	return &webhook.Delivery{UID: uid, Source: "alpha", ID: uid, Type: "alpha.push", DedupKeys: []string{uid}, Body: []byte(`{}`)}
}

// again returns d as its sender sends it again.
func again(d *webhook.Delivery) *webhook.Delivery {
	copied := *d
	copied.UID += "-again"
	return &copied
}

func isStored(t *testing.T, db *sql.DB, d *webhook.Delivery) bool {
	t.Helper()
	var n int
	must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM hookhouse_deliveries WHERE uid = $1", d.UID).Scan(&n))
	return n == 1
}

func wantNotDurable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, sqlinbox.ErrNotDurable) {
		t.Errorf("%s returned %v, want ErrNotDurable", what, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

package dbtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// endpoint returns a new endpoint with secrets in each place that can have one.
func endpoint(id string, patterns ...string) *publish.Endpoint {
	at := time.UnixMicro(time.Now().UnixMicro())
	return &publish.Endpoint{
		ID: id, Owner: "acme", Name: "Name of " + id, URL: "https://example.com/very-secret-path?very-secret-query",
		Events: patterns, Header: map[string][]string{"Authorization": {"very-secret-header"}}, Meta: map[string]string{"a": "very-secret-meta"},
		Secrets: []publish.Secret{{Secret: webhook.NewSecret("very-secret-key")}}, State: publish.Active, Since: at, Created: at,
	}
}

func createEndpoint(t *testing.T, s publish.Store, e *publish.Endpoint) *publish.Endpoint {
	t.Helper()
	e, err := s.Create(t.Context(), e)
	must(t, err)
	return e
}

func attemptOf(endpoint string, r publish.Result) publish.Attempt {
	return publish.Attempt{Endpoint: endpoint, Event: "event", UID: "uid", Type: "alpha.push", Number: 1, At: time.Now(), Result: r}
}

func TestMigrateOfAPublishStoreMayRunConcurrentlyAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		e.reopen(t, driver, dsn)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			in, _ := e.reopen(t, driver, dsn)
			s, _ := loggedStore(t, in)
			all.Go(func() { errs[i] = s.Migrate(t.Context()) })
		}
		all.Wait()
		must(t, errors.Join(errs...))
		in, db := e.reopen(t, driver, dsn)
		s, _ := loggedStore(t, in)
		createEndpoint(t, s, endpoint("ep", "*"))
		must(t, s.Migrate(t.Context()))
		for table, want := range map[string]int{"hookhouse_publish_schema": 1, "hookhouse_endpoints": 1} {
			if n := count(t, db, table); n != want {
				t.Errorf("%s has %d rows after another Migrate, want %d", table, n, want)
			}
		}
	})
}

func TestTheSchemaOfAPublishStoreIsWhatMigrateCreates(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, sqlstore.Schema(e.Dialect))
		s, _ := loggedStore(t, in)
		must(t, s.Check(t.Context()))
		createEndpoint(t, s, endpoint("ep", "*"))
		_, err := s.Record(t.Context(), attemptOf("ep", publish.Failed))
		must(t, err)
	})
}

func TestAPublishStoreOfAnotherVersionIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		refused := func(name string, want error) {
			t.Run(name, func(t *testing.T) {
				s, _ := loggedStore(t, in)
				_, created := s.Create(t.Context(), endpoint("ep", "*"))
				_, got := s.Get(t.Context(), "ep")
				_, recorded := s.Record(t.Context(), attemptOf("ep", publish.Failed))
				_, matched := s.Match(t.Context(), "acme", "a")
				for what, err := range map[string]error{"Check": s.Check(t.Context()), "Create": created, "Get": got, "Record": recorded, "Match": matched} {
					if !errors.Is(err, want) {
						t.Errorf("%s returned %v, want %v", what, err, want)
					}
				}
			})
		}
		refused("a database without its tables", sqlstore.ErrNotMigrated)
		run(t, db, sqlstore.Schema(e.Dialect))
		run(t, db, "UPDATE hookhouse_publish_schema SET version = 0")
		refused("a database of an earlier version", sqlstore.ErrNotMigrated)
		run(t, db, "UPDATE hookhouse_publish_schema SET version = 999")
		refused("a database of a later version", sqlstore.ErrNewerSchema)
		s, _ := loggedStore(t, in)
		if err := s.Migrate(t.Context()); !errors.Is(err, sqlstore.ErrNewerSchema) {
			t.Errorf("Migrate returned %v, want ErrNewerSchema", err)
		}
	})
}

// A process that goes on while another migrates notices it when a statement fails.
func TestAPublishStoreReturnsErrNewerSchemaAfterAMigration(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s := publishStore(t, in)
		createEndpoint(t, s, endpoint("ep", "*"))
		run(t, db, "ALTER TABLE hookhouse_endpoints RENAME COLUMN doc TO document")
		run(t, db, "UPDATE hookhouse_publish_schema SET version = 7")
		_, first := s.Get(t.Context(), "ep")
		if _, err := s.Get(t.Context(), "ep"); first == nil || !errors.Is(err, sqlstore.ErrNewerSchema) {
			t.Errorf("Get returned %v, then %v; want ErrNewerSchema", first, err)
		}
	})
}

func TestTheTablesOfTheInboxMustBeMigratedFirst(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in := sqlinbox.New(openDB(t, driver, dsn), e.Dialect)
		t.Cleanup(func() { _ = in.Close() })
		s, _ := loggedStore(t, in)
		if err := s.Migrate(t.Context()); !errors.Is(err, sqlinbox.ErrNotMigrated) {
			t.Errorf("Migrate returned %v, want ErrNotMigrated of the inbox", err)
		}
	})
}

func TestAFaultInMigrateOfAPublishStoreLeavesAllTablesOrNone(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			_, db := e.reopen(t, driver, dsn)
			broken, plan, err := fault.Open(driver, dsn)
			must(t, err)
			t.Cleanup(func() { _ = broken.Close() })
			for n := 1; ; n++ {
				in := sqlinbox.New(broken, e.Dialect)
				s, _ := loggedStore(t, in)
				plan.Break(n, fault.Kinds[n%4])
				err := s.Migrate(t.Context())
				broke := plan.Broke()
				plan.Break(0, 0)
				must(t, in.Close())
				if broke == "" {
					must(t, err)
					return
				}
				healthy, _ := e.reopen(t, driver, dsn)
				again, _ := loggedStore(t, healthy)
				must(t, again.Migrate(t.Context()))
				createEndpoint(t, again, endpoint("ep", "*"))
				for _, table := range []string{"publish_schema", "endpoints", "subscriptions", "endpoint_attempts"} {
					run(t, db, "DROP TABLE hookhouse_"+table)
				}
			}
		})
	}
}

package dbtest

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/publish/storetest"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestEveryEngineKeepsTheLawsOfAPublishStore(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		runPublishLaws(t, publishStore(t, in))
	})
}

// Three stores with connections of their own take turns, as three processes do.
func TestStoresOfSeveralProcessesKeepTheLawsTogether(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			several := new(roundRobin)
			for range 3 {
				in, _ := e.reopen(t, driver, dsn)
				several.stores = append(several.stores, publishStore(t, in))
			}
			runPublishLaws(t, several)
		})
	}
}

func TestAPublishStoreKeepsTheLawsUnderAnyIsolation(t *testing.T) {
	for _, isolation := range isolations[1:] {
		t.Run(isolation, func(t *testing.T) {
			in, _ := onPostgres(t).under(isolation).open(t)
			runPublishLaws(t, publishStore(t, in))
		})
	}
}

// runPublishLaws tests a store in one database for all laws, since making the tables takes
// longer than most of them.
func runPublishLaws(t *testing.T, s publish.Store) {
	t.Helper()
	storetest.Run(t, func(t *testing.T) publish.Store {
		for e, err := range s.All(t.Context(), publish.Filter{}) {
			must(t, err)
			must(t, s.Delete(t.Context(), e.ID))
		}
		_, err := s.Sweep(t.Context(), time.Now().AddDate(1000, 0, 0), 1<<20)
		must(t, err)
		return s
	})
}

// publishStore returns a migrated store of a publisher in the database of an inbox. It seals.
func publishStore(t *testing.T, in *sqlinbox.Inbox) *sqlstore.Store {
	t.Helper()
	s, _ := loggedStore(t, in, sealKey("first"))
	must(t, s.Migrate(t.Context()))
	return s
}

// loggedStore returns a store with the keys, and its log.
func loggedStore(t *testing.T, in *sqlinbox.Inbox, keys ...webhook.Key) (*sqlstore.Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s := sqlstore.New(in)
	s.SealKeys, s.Logger = keys, slog.New(slog.NewTextHandler(&log, nil))
	return s, &log
}

func sealKey(label string) webhook.Key {
	return webhook.Key{Label: label, Secret: webhook.NewSecret(label + " with the thirty-two bytes that are needed")}
}

// roundRobin is several stores on one database. Each call goes to the next of them.
type roundRobin struct {
	stores []*sqlstore.Store
	calls  atomic.Int64
}

func (r *roundRobin) next() publish.Store {
	return r.stores[int(r.calls.Add(1))%len(r.stores)]
}

func (r *roundRobin) Create(ctx context.Context, e *publish.Endpoint) (*publish.Endpoint, error) {
	return r.next().Create(ctx, e)
}
func (r *roundRobin) Get(ctx context.Context, id string) (*publish.Endpoint, error) {
	return r.next().Get(ctx, id)
}
func (r *roundRobin) Update(ctx context.Context, id string, change func(*publish.Endpoint) error) (*publish.Endpoint, error) {
	return r.next().Update(ctx, id, change)
}
func (r *roundRobin) Delete(ctx context.Context, id string) error { return r.next().Delete(ctx, id) }
func (r *roundRobin) All(ctx context.Context, f publish.Filter) iter.Seq2[*publish.Endpoint, error] {
	return r.next().All(ctx, f)
}
func (r *roundRobin) Match(ctx context.Context, owner, typ string) ([]publish.Target, error) {
	return r.next().Match(ctx, owner, typ)
}
func (r *roundRobin) Record(ctx context.Context, a publish.Attempt) (bool, error) {
	return r.next().Record(ctx, a)
}
func (r *roundRobin) Attempts(ctx context.Context, f publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
	return r.next().Attempts(ctx, f)
}
func (r *roundRobin) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return r.next().Sweep(ctx, before, limit)
}

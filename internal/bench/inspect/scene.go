package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// leastRows is the least that the table has: each filter then matches something.
const leastRows = 6000

// A scene is a filled inbox with an inspector.
type scene struct {
	*env.Store
	shape     schema.Shape
	inspector *inspect.Inspector
	calls     *atomic.Int64 // of the store, by the inspector
	number    atomic.Int64  // of the last Put
}

// newScene fills an inbox. The function closeScene closes it.
func (c command) newScene(ctx context.Context, e *env.Env, b env.Backend) (sc *scene, closeScene func() error, err error) {
	at, remove, err := e.Make(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	sc = &scene{shape: rowsOf(c.rows)}
	if sc.Store, err = b.Open(ctx, at); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	closeScene = func() error { return errors.Join(sc.Close(), remove()) }
	err = sc.shape.Fill(ctx, sc.DB, b, c.rows)
	if err == nil {
		counted := &countedStore{Inbox: sc.Inbox}
		sc.calls = &counted.calls
		sc.inspector, err = inspect.New(counted, func(http.ResponseWriter, *http.Request) (string, bool) { return "bench", true })
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeScene())
	}
	sc.number.Store(int64(10 * c.rows)) // above what is filled
	return sc, closeScene, nil
}

const (
	// mixed goes from 0 to 99, in an order that does not repeat soon.
	mixed = `(i % 10007) * 7919 % 100`
	// repositories are the ordering keys of each source.
	repositories = 500
)

// rowsOf is the shape of n rows, one a second: four sources, six types, and what is usual
// of the states: one in four hundred is dead, and of the newest 400 a hundred wait.
func rowsOf(n int) schema.Shape {
	waiting := fmt.Sprintf(`i > %d AND i %% 4 = 0`, n-400)
	return schema.Shape{
		Source: `CASE WHEN ` + mixed + ` < 60 THEN 'github' WHEN ` + mixed + ` < 85 THEN 'dockerhub' WHEN ` + mixed + ` < 95 THEN 'kudu' ELSE 'jobserv' END`,
		Type: `CASE WHEN ` + mixed + ` < 35 THEN 'github.push' WHEN ` + mixed + ` < 50 THEN 'github.pull_request' WHEN ` + mixed + ` < 60 THEN 'github.check_run'
	WHEN ` + mixed + ` < 85 THEN 'dockerhub.push' WHEN ` + mixed + ` < 95 THEN 'kudu.deployment' ELSE 'jobserv.run' END`,
		Key: fmt.Sprintf(`CASE WHEN %s THEN 'acme/new-' || i ELSE 'acme/service-' || ((i %% 10007) * 31 %% %d) END`, waiting, repositories),
		State: `CASE WHEN ` + waiting + ` THEN 'waiting' WHEN i % 400 = 17 THEN 'dead' WHEN i % 10 = 3 THEN 'superseded'
	WHEN i % 50 = 9 THEN 'ignored' ELSE 'done' END`,
		Reason: `CASE WHEN i % 800 = 17 THEN 'the registry answered 502: connection refused' WHEN i % 400 = 17 THEN 'the deployment timed out after 30s'
	WHEN i % 50 = 9 THEN 'no callback for this type' ELSE '' END`,
		Apart: 1_000_000,
	}
}

// A countedStore counts the calls of the inspector.
type countedStore struct {
	*sqlinbox.Inbox
	calls atomic.Int64
}

func (s *countedStore) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	s.calls.Add(1)
	return s.Inbox.All(ctx, f)
}

func (s *countedStore) Get(ctx context.Context, uid string) (webhook.Record, error) {
	s.calls.Add(1)
	return s.Inbox.Get(ctx, uid)
}

func (s *countedStore) Overview(ctx context.Context, limit int) (webhook.Overview, error) {
	s.calls.Add(1)
	return s.Inbox.Overview(ctx, limit)
}

// An answer is what a handler writes, in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// get asks the inspector for a page, without a network. The answer must be 200.
func (sc *scene) get(ctx context.Context, page string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/"+page, nil)
	if err != nil {
		return nil, err
	}
	a := &answer{header: make(http.Header), status: http.StatusOK}
	if sc.inspector.ServeHTTP(a, r); a.status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %s", page, a.status, a.body.Bytes())
	}
	return a.body.Bytes(), nil
}

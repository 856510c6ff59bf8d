package dbtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// statements counts the statements with the part from now on. Each takes some time, in which
// others gather.
func statements(t *testing.T, plan *fault.Plan, part string) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	plan.Watch(func(what string) {
		if strings.Contains(what, part) && !strings.HasPrefix(what, "prepare") {
			n.Add(1)
			<-time.After(5 * time.Millisecond)
		}
	}, nil)
	t.Cleanup(func() { plan.Watch(nil, nil) })
	return &n
}

func TestGetsAtOnceShareStatements(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		s := publishStore(t, in)
		for i := range 100 {
			createEndpoint(t, s, endpoint(fmt.Sprint("ep", i), "*"))
		}
		_, err := s.Record(t.Context(), attemptOf("ep7", publish.Rejected))
		must(t, err)
		n := statements(t, plan, "hookhouse_endpoint")
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				id := fmt.Sprint("ep", i%100)
				got, err := s.Get(t.Context(), id)
				wantNil(t, err)
				if err == nil && (got.ID != id || (got.Last.Result == publish.Rejected) != (id == "ep7")) {
					t.Errorf("Get of %s returned %s with the last attempt %+v", id, got.ID, got.Last)
				}
			})
		}
		all.Wait()
		if n := n.Load(); n > 100 {
			t.Errorf("1000 Gets of 100 endpoints took %d statements, want few", n)
		}
	})
}

func TestMatchesAtOnceShareStatements(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		s := publishStore(t, in)
		for i := range 10 {
			createEndpoint(t, s, endpoint(fmt.Sprint("both", i), fmt.Sprintf("t%d.a", i), fmt.Sprintf("t%d.*", i)))
			createEndpoint(t, s, endpoint(fmt.Sprint("one", i), fmt.Sprintf("t%d.*", i)))
		}
		n := statements(t, plan, "hookhouse_endpoint")
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				owner, want := "acme", []publish.Target{{ID: fmt.Sprint("both", i%10)}, {ID: fmt.Sprint("one", i%10)}}
				if i%20 < 10 {
					owner, want = "other", nil
				}
				got, err := s.Match(t.Context(), owner, fmt.Sprintf("t%d.a", i%10))
				wantNil(t, err)
				if !slices.Equal(got, want) {
					t.Errorf("Match of %s and t%d.a returned %v, want %v", owner, i%10, got, want)
				}
			})
		}
		all.Wait()
		if n := n.Load(); n > 100 {
			t.Errorf("1000 Matches of 20 kinds took %d statements, want few", n)
		}
	})
}

func TestADeliveryCostsAPartOfAStatementThatReadsItsEndpoint(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const events, endpoints = 4, 250
		driver, dsn := e.store(t)
		in, _, plan := openWatched(t, e, driver, dsn)
		var c calls
		p := publisher(t, in, &c)
		for i := range endpoints {
			_, err := p.Create(t.Context(), publish.Endpoint{ID: fmt.Sprint(i), URL: fmt.Sprintf("https://%d/", i), Events: []string{"*"}})
			must(t, err)
		}
		for range events {
			_, err := p.Publish(t.Context(), publish.Event{Type: "comment.created", Payload: "hello"})
			must(t, err)
		}
		n := statements(t, plan, "FROM hookhouse_endpoint")
		startPublisher(t, p)
		must(t, wait.Until(t.Context(), "all have arrived", func() bool { return c.count() == events*endpoints }))
		if n := n.Load(); n > events*endpoints/4 {
			t.Errorf("%d deliveries took %d statements that read endpoints, want a quarter at most", events*endpoints, n)
		}
	})
}

// On PostgreSQL, an attempt that changes the failing of no endpoint is stored by one statement,
// and there is nothing else.
func TestAnAttemptOnPostgresCostsOneStatement(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	in, _, plan := openWatched(t, e, driver, dsn)
	s := publishStore(t, in)
	createEndpoint(t, s, endpoint("good", "*"))
	createEndpoint(t, s, endpoint("bad", "*"))
	_, err := s.Record(t.Context(), attemptOf("bad", publish.Failed))
	must(t, err)
	for _, a := range []publish.Attempt{
		attemptOf("good", publish.Delivered), attemptOf("good", publish.Rejected), attemptOf("bad", publish.Failed),
		attemptOf("bad", publish.Skipped), attemptOf("deleted", publish.Failed), attemptOf("deleted", publish.Delivered),
	} {
		plan.Break(0, 0)
		_, err := s.Record(t.Context(), a)
		must(t, err)
		if n := plan.Count(); n != 1 {
			t.Errorf("an attempt of %s that is %s took %d statements", a.Endpoint, a.Result, n)
		}
	}
}

// The Store does not use the session's synchronous_commit if commits could be lost.
func TestPostgresCommitsAnAttemptWithSynchronousCommit(t *testing.T) {
	e := onPostgres(t)
	for asked, want := range map[string]string{"off": "on", "local": "on", "remote_apply": "remote_apply"} {
		driver, dsn := e.store(t)
		in, db := e.reopen(t, driver, dsn+"&synchronous_commit="+asked)
		s := publishStore(t, in)
		createEndpoint(t, s, endpoint("ep", "*"))
		run(t, db, `CREATE TABLE seen (value text);
			CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
			CREATE TRIGGER see AFTER INSERT ON hookhouse_endpoint_attempts FOR EACH ROW EXECUTE FUNCTION see()`)
		for _, r := range []publish.Result{publish.Delivered, publish.Failed, publish.Failed, publish.Skipped} {
			_, err := s.Record(t.Context(), attemptOf("ep", r))
			must(t, err)
		}
		if n := count(t, db, "seen WHERE value = '"+want+"'"); n != 4 {
			t.Errorf("%s: %d of 4 attempts were committed with synchronous_commit = %s", asked, n, want)
		}
	}
}

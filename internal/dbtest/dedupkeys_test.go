package dbtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// isDuplicateOf demands that a delivery with that dedup key is a duplicate.
func isDuplicateOf(t *testing.T, in *sqlinbox.Inbox, key, uid string, state webhook.State) {
	t.Helper()
	var known *webhook.DuplicateError
	if err := in.Put(t.Context(), delivery("", key)); !errors.As(err, &known) || known.UID != uid || known.State != state {
		t.Errorf("Put with %s returned %v, want a duplicate of %s, %s", key, err, uid, state)
	}
}

// A replay gives a delivery another id, which its dedup keys do not know.
func TestDedupKeysFollowAReplayedDelivery(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery("key", "one", "two", "three"))
		settle(t, in, claimOne(t, in), webhook.Dead)
		other := put(t, in, delivery("", "other"))
		for range 2 {
			if n, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{By: "test"}); n != 1 || err != nil {
				t.Fatalf("Replay: %d, %v", n, err)
			}
			isDuplicateOf(t, in, "two", d.UID, webhook.Waiting)
			for _, c := range claim(t, in, 10) {
				settle(t, in, c, webhook.Done)
			}
		}
		isDuplicateOf(t, in, "three", d.UID, webhook.Done)
		in.Retention = 1
		if n, err := in.Sweep(t.Context()); n != 2 || err != nil {
			t.Fatalf("Sweep: %d, %v", n, err)
		}
		put(t, in, delivery("", "new")) // on SQLite with an id that was used before
		isDuplicateOf(t, in, "one", d.UID, webhook.Done)
		isDuplicateOf(t, in, "other", other.UID, webhook.Done)
	})
}

// A delivery that cannot be read keeps its dedup keys, though nobody can tell which
// they are when it is swept.
func TestDedupKeysOfWhatCannotBeReadStayItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d, other := put(t, in, delivery("", "one", "two")), put(t, in, delivery("", "three"))
		settle(t, in, claimOne(t, in), webhook.Done)
		settle(t, in, claimOne(t, in), webhook.Ignored)
		run(t, db, "UPDATE hookhouse_bodies SET envelope = '{'")
		in.Retention = 1
		if n, err := in.Sweep(t.Context()); n != 2 || err != nil {
			t.Fatalf("Sweep: %d, %v", n, err)
		}
		put(t, in, delivery("", "new"))
		isDuplicateOf(t, in, "one", d.UID, webhook.Done)
		isDuplicateOf(t, in, "two", d.UID, webhook.Done)
		isDuplicateOf(t, in, "three", other.UID, webhook.Ignored)
	})
}

// One known dedup key of several makes a duplicate, wherever it is, and the others are
// not kept for it.
func TestADuplicateLeavesNoDedupKeys(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		d := put(t, in, delivery("", "known"))
		for n := range 5 {
			keys := []string{"a", "b", "c", "d", "e"}
			keys[n] = "known"
			var known *webhook.DuplicateError
			if err := in.Put(t.Context(), delivery("", keys...)); !errors.As(err, &known) || known.UID != d.UID {
				t.Errorf("Put with %v returned %v", keys, err)
			}
			if n := count(t, db, "hookhouse_dedup_keys"); n != 1 {
				t.Fatalf("%d dedup keys after Put with %v, want 1", n, keys)
			}
		}
		put(t, in, delivery("", "a", "b", "c", "d", "e"))
	})
}

func TestSweepGoesThroughAllDedupKeys(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		for n := range 13 {
			var keys []string
			for k := range 100 {
				keys = append(keys, fmt.Sprint(n, " ", k))
			}
			put(t, in, delivery("", keys...))
		}
		old := fmt.Sprintf("UPDATE hookhouse_dedup_keys SET seen_at = seen_at - %d", 31*24*time.Hour/time.Microsecond)
		run(t, db, old+" WHERE delivery_id <= (SELECT min(id) + 11 FROM hookhouse_deliveries)")
		for _, want := range []int{100, 0} {
			if _, err := in.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, "hookhouse_dedup_keys"); n != want {
				t.Errorf("%d dedup keys after Sweep, want %d", n, want)
			}
			run(t, db, old)
		}
	})
}

// A Sweep that finds no old dedup keys must not read the others, whatever the plan of
// its statement is made for.
func TestSweepReadsOldDedupKeysOnly(t *testing.T) {
	e := onPostgres(t) // on SQLite it reads some of all in turn
	driver, dsn := e.store(t)
	in, db, plan := openWatched(t, e, driver, dsn)
	run(t, db, `INSERT INTO hookhouse_dedup_keys (hash, seen_at)
		SELECT substring(sha256(n::text::bytea) FROM 1 FOR 16), (extract(epoch FROM now()) * 1000000)::bigint + n FROM generate_series(1, 20000) AS n`)
	run(t, db, "VACUUM ANALYZE hookhouse_dedup_keys")
	var text string
	plan.Watch(func(what string) {
		if strings.HasPrefix(what, "DELETE FROM hookhouse_dedup_keys") {
			text = what
		}
	}, nil)
	_, err := in.Sweep(t.Context())
	plan.Watch(nil, nil)
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer func() { _ = conn.Close() }()
	for _, setting := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE swept AS " + text} {
		if _, err := conn.ExecContext(t.Context(), setting); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN EXECUTE swept (2592000000000, 500)")
	must(t, err)
	var lines []string
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	must(t, rows.Err())
	if p := strings.Join(lines, "\n"); strings.Contains(p, "Seq Scan") || !strings.Contains(p, "Index Scan using hookhouse_dedup_seen") {
		t.Errorf("the plan is\n%s\nwant the index alone", p)
	}
}

// On SQLite a Sweep looks at some of the dedup keys only. A program that is started
// anew after each Sweep must come to all of them.
func TestSweepsOfManyProcessesComeToEveryDedupKey(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) { sweepByManyProcesses(t, e) })
	}
}

// sweepByManyProcesses fails the test if old dedup keys among many are left after thirty
// inboxes have swept once each.
func sweepByManyProcesses(t *testing.T, e engine) {
	in, db := e.open(t)
	run(t, db, fmt.Sprintf(`INSERT INTO hookhouse_dedup_keys (hash, seen_at)
			WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 24999)
			SELECT CASE WHEN n < 10 THEN CAST(x'ffffffffffffffffffffffffffffff' || CAST(n AS TEXT) AS BLOB) ELSE randomblob(16) END,
				CASE WHEN n < 10 THEN 0 ELSE %d END FROM s`, time.Now().UnixMicro()))
	left := 0
	for range 30 {
		if _, err := in.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left = count(t, db, "hookhouse_dedup_keys WHERE seen_at = 0"); left == 0 {
			return
		}
		must(t, in.Close())
		in = sqlinbox.New(db, e.Dialect)
	}
	t.Errorf("%d old dedup keys are left after 30 processes", left)
}

package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// onEachEarlier runs f on a migrated copy of each earlier database.
func onEachEarlier(t *testing.T, f func(t *testing.T, name string, in *sqlinbox.Inbox, db *sql.DB)) {
	onEach(t, func(t *testing.T, e engine) {
		for name, text := range earlierVersions(t, e.Dialect) {
			t.Run(name, func(t *testing.T) {
				driver, dsn := e.store(t)
				run(t, openDB(t, driver, dsn), text)
				in, db := e.reopen(t, driver, dsn)
				f(t, name, in, db)
			})
		}
	})
}

// micros is a time of the fixtures.
func micros(n int64) time.Time { return time.UnixMicro(n) }

func TestEveryRecordSurvivesMigrate(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		record := func(n int64, uid, typ, key string, r webhook.Record) webhook.Record {
			r.Seq, r.Size = n, 7
			digit := string(rune('0' + n))
			r.Delivery = &webhook.Delivery{
				UID: uid, Source: "alpha", ID: "id-" + digit, Type: typ, OrderingKey: key, KeyLabel: "new", ReceivedAt: micros(900),
				DedupKeys: []string{"mark-" + digit}, Header: http.Header{"X-Event": {"push"}}, Body: []byte(`{"a":1}`),
			}
			r.Due = micros(1000)
			return r
		}
		want := []webhook.Record{
			record(8, "u-retried", "alpha.push", "four", webhook.Record{State: webhook.Waiting, Attempt: 3, Fence: 3, Reason: "refused"}),
			record(7, "u-waiting", "alpha.push", "", webhook.Record{State: webhook.Waiting}),
			record(6, "u-behind", "alpha.push", "one", webhook.Record{State: webhook.Blocked}),
			record(5, "u-claimed", "alpha.push", "one", webhook.Record{State: webhook.Claimed, Attempt: 2, Fence: 3, Expires: micros(5000), Reason: "not yet"}),
			record(4, "u-ignored", "alpha.other", "", webhook.Record{State: webhook.Ignored, Attempt: 1, Fence: 1, Ended: micros(2000)}),
			record(3, "u-superseded", "alpha.push", "three", webhook.Record{State: webhook.Superseded, Ended: micros(2000)}),
			record(2, "u-dead", "alpha.push", "two", webhook.Record{State: webhook.Dead, Attempt: 15, Fence: 15, Ended: micros(2000), Reason: "registry is down"}),
			record(1, "u-done", "alpha.push", "one", webhook.Record{State: webhook.Done, Attempt: 1, Fence: 1, Ended: micros(2000)}),
		}
		if !strings.Contains(name, "-1") { // it was replayed, and another one redelivered
			want[0].Revived = 1
			replayed := want[4]
			replayed.Seq = 9
			want = append([]webhook.Record{replayed}, append(want[:4:4], want[5:]...)...)
		}
		var got []webhook.Record
		for r, err := range in.All(t.Context(), webhook.Filter{Bodies: true}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		r, err := in.Get(t.Context(), "u-claimed")
		if err != nil {
			t.Fatal(err)
		}
		replays := []webhook.Replay{{Note: webhook.Note{By: "somebody", Why: "after a fix"}, At: micros(1500), Was: webhook.Dead}}
		if diff := cmp.Diff(replays, r.Replays); diff != "" {
			t.Errorf("replays (-want +got):\n%s", diff)
		}
	})
}

func TestEveryDedupKeySurvivesMigrate(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		want := map[string]webhook.DuplicateError{
			"mark-1": {UID: "u-done", State: webhook.Done},
			"mark-2": {UID: "u-dead", State: webhook.Dead},
			"mark-3": {UID: "u-superseded", State: webhook.Superseded},
			"mark-4": {UID: "u-ignored", State: webhook.Ignored},
			"mark-5": {UID: "u-claimed", State: webhook.Claimed},
			"mark-6": {UID: "u-behind", State: webhook.Blocked},
			"mark-7": {UID: "u-waiting", State: webhook.Waiting},
			"mark-8": {UID: "u-retried", State: webhook.Waiting},
		}
		if !strings.Contains(name, "-1") {
			want["mark-swept"] = webhook.DuplicateError{UID: "u-swept", State: webhook.Dead}
		}
		for key, duplicate := range want {
			d := delivery("", key)
			err := in.Put(t.Context(), d)
			var known *webhook.DuplicateError
			if !errors.As(err, &known) || *known != duplicate {
				t.Errorf("Put with %s returned %v, want a duplicate of %s, %s", key, err, duplicate.UID, duplicate.State)
			}
			other := delivery("", key)
			other.Source = "beta"
			put(t, in, other)
		}
		put(t, in, delivery("", "mark-old")) // beyond the window, or never seen
	})
}

// What the sender sends again of a delivery that died and was swept is stored, and
// that of one that is dead runs again.
func TestARedeliveryAfterMigrateIsOne(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		d := delivery("", "mark-2")
		d.ID = "id-2"
		var known *webhook.DuplicateError
		if err := in.Put(t.Context(), d); !errors.As(err, &known) || !known.Revived || known.UID != "u-dead" {
			t.Errorf("Put returned %v, want u-dead run again", err)
		}
		if !strings.Contains(name, "-1") {
			d := delivery("", "mark-swept")
			d.ID = "id-swept"
			put(t, in, d)
		}
	})
}

func TestAClaimAndItsKeySurviveMigrate(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, _ string, in *sqlinbox.Inbox, _ *sql.DB) {
		c := webhook.Claim{Delivery: &webhook.Delivery{UID: "u-claimed", Source: "alpha", OrderingKey: "one"}, Fence: 3}
		settle(t, in, c, webhook.Done)
		if s := stateOf(t, in, "u-behind"); s != webhook.Waiting {
			t.Errorf("what it blocked is %s, want waiting", s)
		}
	})
}

// A program of schema version 3 that still runs must not claim what is paused: its claims
// name this column.
func TestAClaimOfVersion3FailsAfterMigrate(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, _ string, _ *sqlinbox.Inbox, db *sql.DB) {
		_, err := db.ExecContext(t.Context(), "UPDATE hookhouse_deliveries SET attempt = 1 WHERE crashed_runs > 0")
		if !statement.IsOtherSchema(err) {
			t.Errorf("it returned %v, want that there is no such column", err)
		}
	})
}

func TestALostClaimOfBeforeMigrateIsKept(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		for {
			c := claimOne(t, in)
			if c.Delivery.UID == "u-claimed" {
				break
			}
		}
		r, err := in.Get(t.Context(), "u-claimed")
		want := []webhook.Attempt{{Number: 2, At: micros(1000), State: webhook.Waiting, Lost: true}}
		if keptAttempts(name) { // and so knew who had claimed it
			want[0].By = "second"
		}
		if diff := cmp.Diff(want, r.Attempts, cmpopts.IgnoreFields(webhook.Attempt{}, "Took")); diff != "" || err != nil {
			t.Errorf("%v, attempts (-want +got):\n%s", err, diff)
		}
	})
}

// keptAttempts reports whether the version of a fixture, 3 or later, kept attempts and who
// had claimed a delivery.
func keptAttempts(name string) bool {
	return strings.Contains(name, "-3") || strings.Contains(name, "-4")
}

// Attempts are kept since version 3.
func TestTheAttemptsOfBeforeMigrateAreKept(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		var want []webhook.Attempt
		if keptAttempts(name) {
			want = []webhook.Attempt{
				{Number: 1, At: micros(950), Took: 20 * time.Microsecond, State: webhook.Waiting, Lost: true, By: "first"},
				{Number: 2, At: micros(970), Took: 10 * time.Microsecond, State: webhook.Waiting, Reason: "refused", By: "second"},
			}
		}
		r, err := in.Get(t.Context(), "u-retried")
		if diff := cmp.Diff(want, r.Attempts); diff != "" || err != nil {
			t.Errorf("%v, attempts (-want +got):\n%s", err, diff)
		}
	})
}

// An earlier program asks for the highest version it knows, as this one does.
func TestANewerSchemaIsRefusedByAnOlderProgram(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, _ string, in *sqlinbox.Inbox, db *sql.DB) {
		var version int
		if err := db.QueryRowContext(context.Background(), "SELECT coalesce(max(version), 0) FROM hookhouse_schema").Scan(&version); err != nil {
			t.Fatal(err)
		}
		if version != 5 {
			t.Errorf("the version is %d, want 5: an older program would go on", version)
		}
		run(t, db, "UPDATE hookhouse_schema SET version = version + 1")
		for what, err := range map[string]error{"Check": in.Check(t.Context()), "Migrate": in.Migrate(t.Context())} {
			if !errors.Is(err, sqlinbox.ErrNewerSchema) {
				t.Errorf("%s returned %v, want ErrNewerSchema", what, err)
			}
		}
	})
}

// Pauses are kept since version 4.
func TestThePausesOfBeforeMigrateAreKept(t *testing.T) {
	onEachEarlier(t, func(t *testing.T, name string, in *sqlinbox.Inbox, _ *sql.DB) {
		var want []webhook.Pause
		if strings.Contains(name, "-4") {
			want = []webhook.Pause{{Type: "alpha.paused", Note: webhook.Note{By: "somebody", Why: "a repair"}, At: micros(1600)}}
		}
		s, err := in.Stats(t.Context())
		if diff := cmp.Diff(want, s.Paused); diff != "" || err != nil {
			t.Errorf("%v, pauses (-want +got):\n%s", err, diff)
		}
	})
}

// The first of two programs copies many dedup keys, and the second starts
// meanwhile: it finds the file busy, and tries again. How long it goes on is a test of
// package sqlinbox, in fake time.
func TestMigrateWaitsForALongMigration(t *testing.T) {
	driver, dsn := modernc.store(t) // the wait is the same with each driver, and PostgreSQL has none
	run(t, openDB(t, driver, dsn), earlierVersions(t, sqlinbox.SQLite)["sqlite-2.sql"])
	db, plan, err := fault.Open(driver, dsn)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	other, otherPlan, err := fault.Open(driver, dsn)
	must(t, err)
	t.Cleanup(func() { _ = other.Close() })
	var begun atomic.Int64
	otherPlan.Watch(func(what string) {
		if strings.Contains(what, "BEGIN") {
			begun.Add(1)
		}
	}, nil)
	second, result := sqlinbox.New(other, sqlinbox.SQLite), make(chan error, 1)
	t.Cleanup(func() { _ = second.Close() })
	reached := beforeNth(plan, 1, func(what string) bool { return strings.HasSuffix(what, "COMMIT") }, func() {
		go func() { result <- second.Migrate(context.WithoutCancel(t.Context())) }()
		waitFor(t, "the second tries again to begin", func() bool { return begun.Load() > 1 })
	})
	first := sqlinbox.New(db, sqlinbox.SQLite)
	t.Cleanup(func() { _ = first.Close() })
	wantNil(t, first.Migrate(t.Context()))
	if !reached() {
		t.Fatal("Migrate did not commit")
	}
	wantNil(t, <-result)
}

// An old server or role may read a backslash in a string as an escape.
func TestMigrateDoesNotDependOnHowStringsAreRead(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	run(t, openDB(t, driver, dsn), earlierVersions(t, e.Dialect)["postgres-2.sql"])
	in, _ := e.reopen(t, driver, dsn+"&standard_conforming_strings=off")
	isDuplicateOf(t, in, "mark-1", "u-done", webhook.Done)
}

package dbtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// earlierVersions returns the databases of earlier versions for the dialect, by file
// name.
func earlierVersions(t *testing.T, d *sqlinbox.Dialect) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "schema", map[*sqlinbox.Dialect]string{sqlinbox.SQLite: "sqlite", sqlinbox.PostgreSQL: "postgres"}[d]+"-*.sql"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d earlier versions of %s are known, %v", len(files), d, err)
	}
	texts := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

func TestMigrateKeepsTheDeliveriesOfEveryEarlierVersion(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for name, text := range earlierVersions(t, e.Dialect) {
			t.Run(name, func(t *testing.T) {
				driver, dsn := e.store(t)
				run(t, openDB(t, driver, dsn), text)
				in, _ := e.reopen(t, driver, dsn)
				states := make(map[string]webhook.State)
				for r, err := range in.All(t.Context(), webhook.Filter{Bodies: true}) {
					if err != nil || r.Err != nil || string(r.Delivery.Body) != `{"a":1}` {
						t.Fatalf("%s: %v, %v, body %q", r.Delivery.UID, err, r.Err, r.Delivery.Body)
					}
					states[r.Delivery.UID] = r.State
				}
				want := map[string]webhook.State{
					"u-done": webhook.Done, "u-dead": webhook.Dead, "u-superseded": webhook.Superseded, "u-ignored": webhook.Ignored,
					"u-claimed": webhook.Claimed, "u-behind": webhook.Blocked, "u-waiting": webhook.Waiting, "u-retried": webhook.Waiting,
				}
				if diff := cmp.Diff(want, states); diff != "" {
					t.Errorf("after Migrate (-want +got):\n%s", diff)
				}
				var known *webhook.DuplicateError
				if err := in.Put(t.Context(), delivery("", "mark-1")); !errors.As(err, &known) || known.UID != "u-done" {
					t.Errorf("Put returned %v, want a duplicate of u-done", err)
				}
				if n, err := in.Replay(t.Context(), webhook.Filter{UID: "u-dead"}, webhook.Note{By: "test"}); n != 1 || err != nil {
					t.Errorf("Replay: %d, %v", n, err)
				}
				ran := make(map[string]int)
				for {
					claims := claim(t, in, 10)
					if len(claims) == 0 {
						break
					}
					for _, c := range claims {
						ran[c.Delivery.UID] = c.Attempt
						settle(t, in, c, webhook.Done)
					}
				}
				if diff := cmp.Diff(map[string]int{"u-claimed": 3, "u-behind": 1, "u-waiting": 1, "u-retried": 4, "u-dead": 1}, ran); diff != "" {
					t.Errorf("attempts of what ran (-want +got):\n%s", diff)
				}
				in.Retention = 1
				if n, err := in.Sweep(t.Context()); n != len(want) || err != nil {
					t.Errorf("Sweep: %d, %v; want all %d", n, err, len(want))
				}
			})
		}
	})
}

// A process that goes on while another migrates gets an error with both version
// numbers, once a statement fails.
func TestAProcessReturnsErrNewerSchemaAfterAMigration(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		put(t, in, delivery("key"))
		c := claimOne(t, in)
		run(t, db, "ALTER TABLE hookhouse_deliveries RENAME COLUMN settled_fence TO ended_fence")
		run(t, db, "UPDATE hookhouse_schema SET version = 7")
		_, first := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done})
		_, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done})
		if first == nil || !errors.Is(err, sqlinbox.ErrNewerSchema) {
			t.Fatalf("Settle returned %v, then %v; want ErrNewerSchema", first, err)
		}
		for _, number := range []string{"version 7", "known is 5"} {
			if !strings.Contains(err.Error(), number) {
				t.Errorf("%q does not say %q", err, number)
			}
		}
	})
}

package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/grants"
	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Package pooler runs the laws with these rights, so they are enough.
func TestEachRightOfTheDocumentationIsNeeded(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	_, db := e.reopen(t, driver, dsn)
	var schema string
	must(t, db.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema))
	const role = "service"
	statements, err := grants.Read("../../webhook/sqlinbox/doc.go", schema, role)
	must(t, err)
	run(t, db, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	run(t, db, strings.Join(statements, "\n"))
	in := sqlinbox.New(openDB(t, driver, strings.Replace(dsn, "hookhouse@", role+"@", 1)), e.Dialect)
	t.Cleanup(func() { wantNil(t, in.Close()) })
	in.Logger = slog.New(slog.DiscardHandler)
	in.Retention, in.DeadRetention = time.Microsecond, -1
	must(t, in.Migrate(t.Context())) // changes nothing
	if err := useAll(t, in); err != nil {
		t.Fatalf("with the rights of the documentation: %v", err)
	}
	if _, err := in.DB().ExecContext(t.Context(), "CREATE TABLE mine (n int)"); statement.State(err) != "42501" {
		t.Errorf("CREATE TABLE returned %v, want that permission is denied", err)
	}
	rights := 0
	for _, granted := range statements {
		for _, right := range singleRights(granted) {
			rights++
			run(t, db, "REVOKE "+right.text+" FROM "+role)
			if err := useAll(t, in); !isDenied(err) {
				t.Errorf("without %s: got %v, want that permission is denied", right.text, err)
			}
			run(t, db, granted)
		}
	}
	if rights < 20 {
		t.Errorf("%d rights were revoked, want them all", rights)
	}
}

// A right is one privilege on one thing, as REVOKE takes it.
type right struct{ text string }

// singleRights takes a GRANT of several privileges on several things apart.
func singleRights(grant string) (rights []right) {
	privileges, rest, _ := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
	things, _, _ := strings.Cut(rest, " TO ")
	kind := ""
	for _, k := range []string{"SCHEMA ", "SEQUENCE "} {
		if after, ok := strings.CutPrefix(things, k); ok {
			kind, things = k, after
		}
	}
	for privilege := range strings.SplitSeq(privileges, ", ") {
		for thing := range strings.SplitSeq(things, ", ") {
			rights = append(rights, right{privilege + " ON " + kind + thing})
		}
	}
	return rights
}

// isDenied reports whether a statement lacked a right. Tables of a schema that the role may
// not use are not found.
func isDenied(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "permission denied") || errors.Is(err, sqlinbox.ErrNotMigrated))
}

// useAll uses the inbox in each way that needs a right, and goes on after an error.
func useAll(t *testing.T, in *sqlinbox.Inbox) error {
	ctx, by := t.Context(), webhook.Note{By: "test"}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	first := delivery("", delivery("").UID)
	note(in.Put(ctx, first))
	if err := in.Put(ctx, again(first)); !webhook.IsDuplicate(err) {
		note(err)
	}
	note(in.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return in.PutTx(ctx, tx, delivery("key")) }))
	claims, err := in.Claim(ctx, webhook.ClaimOptions{N: 10, Lease: time.Hour})
	note(err)
	for _, c := range claims {
		note(in.Extend(ctx, c, time.Hour))
		_, err := in.Settle(ctx, c, webhook.Outcome{State: webhook.Dead, Reason: "because"})
		note(err)
	}
	_, err = in.Replay(ctx, webhook.Filter{States: []webhook.State{webhook.Dead}}, by)
	note(err)
	note(in.Pause(ctx, "alpha.push", by))
	note(in.Resume(ctx, "alpha.push", by))
	note(in.SetCursor(ctx, "c", "", "1"))
	note(in.SetCursor(ctx, "c", "1", "2"))
	note(in.SetCursor(ctx, "c", "2", ""))
	_, err = in.GiveUp(ctx, webhook.Filter{States: []webhook.State{webhook.Waiting}}, webhook.Ignored, by)
	note(err)
	_, err = in.Stats(ctx)
	note(err)
	_, err = in.Get(ctx, first.UID)
	note(err)
	_, err = in.Discard(ctx, webhook.Filter{States: []webhook.State{webhook.Dead, webhook.Ignored}}, by)
	note(err)
	_, err = in.Sweep(ctx)
	note(err)
	note(in.Ping(ctx))
	return errors.Join(errs...)
}

// again returns d as its sender sends it again.
func again(d *webhook.Delivery) *webhook.Delivery {
	copied := *d
	copied.UID += "-again"
	return &copied
}

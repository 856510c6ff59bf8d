package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// program is the built hookhouse.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "hookhouse")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "hookhouse")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	stop, err := startPostgres()
	switch {
	case errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests of hookhouse on", err)
	case err != nil:
		panic(err)
	}
	code := m.Run()
	stop()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A result is what a run of the program came to.
type result struct {
	code     int
	out, err string
}

// hookhouse runs the program with an environment of env alone.
func hookhouse(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append([]string{"USER=oncall", "HOME=" + t.TempDir()}, env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v: %v\n%s", args, err, errOut.String())
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// succeed runs the program, which must exit with 0, and returns its output.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := hookhouse(t, nil, args...)
	if r.code != 0 {
		t.Fatalf("%q: exit %d, want 0\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// A rig is the database of a program, and an inbox as that program has it.
type rig struct {
	database string // as -db takes it
	db       *sql.DB
	inbox    *sqlinbox.Inbox
}

// onEachDatabase runs a test on an empty SQLite file, and in an empty schema of PostgreSQL
// if that is installed.
func onEachDatabase(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newRig(t)) })
	if postgresURL != "" {
		t.Run("PostgreSQL", func(t *testing.T) { test(t, newPostgresRig(t)) })
	}
}

// newRig returns a rig with a SQLite file.
func newRig(t *testing.T) *rig {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hooks 100%.db")
	return openRig(t, file, "sqlite", strings.Replace(sqliteDSN(file), "mode=rw", "mode=rwc", 1), sqlinbox.SQLite)
}

// schemas counts the schemas that were made.
var schemas atomic.Int64

// newPostgresRig returns a rig with a schema of its own on the server.
func newPostgresRig(t *testing.T) *rig {
	t.Helper()
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	server, err := sql.Open("pgx", postgresURL)
	if err == nil {
		_, err = server.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
	}
	if err := errors.Join(err, server.Close()); err != nil {
		t.Fatal(err)
	}
	database := postgresURL + "?search_path=" + schema
	return openRig(t, database, "pgx", database, sqlinbox.PostgreSQL)
}

func openRig(t *testing.T, database, driver, dsn string, dialect *sqlinbox.Dialect) *rig {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{database, db, sqlinbox.New(db, dialect)}
	if err := r.inbox.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.inbox.Close()
		_ = db.Close()
	})
	return r
}

// put stores a delivery and returns its UID.
func (r *rig) put(t *testing.T, typ, key string) string {
	t.Helper()
	source, _, _ := strings.Cut(typ, ".")
	d := webhook.NewDelivery(source, typ, key, []byte(`{"secret of the body":"`+key+`"}`))
	d.ID = "id-" + key
	d.DedupKeys = []string{"mac:" + strings.Repeat("5a", 32) + d.UID}
	d.Header = http.Header{"X-Hub-Signature-256": {"sha256=" + strings.Repeat("5a", 32)}, "X-Github-Event": {"push"}}
	if err := r.inbox.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d.UID
}

// settle claims the delivery, which must be the next of its type, and ends its run.
func (r *rig) settle(t *testing.T, uid string, o webhook.Outcome) {
	t.Helper()
	c := r.claim(t, uid)
	if _, err := r.inbox.Settle(t.Context(), c, o); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) claim(t *testing.T, uid string) webhook.Claim {
	t.Helper()
	typ := r.get(t, uid).Delivery.Type
	claims, err := r.inbox.Claim(t.Context(), webhook.ClaimOptions{Types: []string{typ}, Lease: time.Hour, By: "worker-1"})
	if err != nil || len(claims) != 1 || claims[0].Delivery.UID != uid {
		t.Fatalf("claimed %v, want %s: %v", claims, uid, err)
	}
	return claims[0]
}

func (r *rig) get(t *testing.T, uid string) webhook.Record {
	t.Helper()
	rec, err := r.inbox.Get(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// states returns the states of deliveries.
func (r *rig) states(t *testing.T, uids ...string) (all []webhook.State) {
	t.Helper()
	for _, uid := range uids {
		all = append(all, r.get(t, uid).State)
	}
	return all
}

// dead stores a delivery and gives it up.
func (r *rig) dead(t *testing.T, typ, key, reason string) string {
	t.Helper()
	uid := r.put(t, typ, key)
	r.settle(t, uid, webhook.Outcome{State: webhook.Dead, Reason: reason})
	return uid
}

// done stores a delivery and handles it.
func (r *rig) done(t *testing.T, typ, key string) string {
	t.Helper()
	uid := r.put(t, typ, key)
	r.settle(t, uid, webhook.Outcome{State: webhook.Done})
	return uid
}

// objects decodes lines of JSON.
func objects[T any](t *testing.T, text string) (all []T) {
	t.Helper()
	for line := range strings.Lines(text) {
		var v T
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, v)
	}
	return all
}

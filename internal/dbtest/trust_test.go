package dbtest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestADatabaseThatIsNotSeenToBeDurableNeedsAWordForIt(t *testing.T) {
	e := onPostgres(t)
	_, db := e.open(t)
	for _, name := range []string{"fsync", "full_page_writes"} {
		must(t, databases.Server.Set(t.Context(), name, "off"))
		t.Cleanup(func() {
			if err := databases.Server.Set(context.Background(), name, "on"); err != nil {
				t.Error(err)
			}
		})
	}
	var log bytes.Buffer
	open := func(word string) *sqlinbox.Inbox {
		in := sqlinbox.New(db, sqlinbox.PostgreSQL)
		in.TrustDurability, in.Logger = word, slog.New(slog.NewTextHandler(&log, nil))
		return in
	}
	in := open("")
	if err := in.Put(t.Context(), delivery("")); !errors.Is(err, sqlinbox.ErrNotDurable) || !strings.Contains(err.Error(), "TrustDurability") {
		t.Errorf("Put without a word returned %v, want ErrNotDurable and how to go on", err)
	}
	if log.Len() > 0 {
		t.Errorf("logged without a word: %s", log.String())
	}
	in = open("the provider keeps commits on three machines")
	for range 3 {
		wantNil(t, in.Check(t.Context()))
		wantNil(t, in.Ping(t.Context()))
		wantNil(t, in.Put(t.Context(), delivery("")))
	}
	text := log.String()
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "three machines") || !strings.Contains(text, "fsync must be on") || !strings.Contains(text, "full_page_writes must be on") {
		t.Errorf("logged %q, want one line with the word and both settings", text)
	}
}

// What TrustDurability does not cover stays refused.
func TestAWordForDurabilityIsNoneForStandbysAndFiles(t *testing.T) {
	e := onPostgres(t)
	_, db := e.open(t)
	in := sqlinbox.New(db, sqlinbox.PostgreSQL)
	in.TrustDurability, in.RequireStandby = "trust me", true
	if err := in.Check(t.Context()); !errors.Is(err, sqlinbox.ErrNotDurable) {
		t.Errorf("Check of a server without a standby returned %v, want ErrNotDurable", err)
	}
	driver, dsn := modernc.store(t)
	lite := sqlinbox.New(openDB(t, driver, strings.Replace(dsn, "journal_mode(WAL)", "journal_mode(DELETE)", 1)), sqlinbox.SQLite)
	t.Cleanup(func() { wantNil(t, lite.Close()) })
	lite.TrustDurability = "trust me"
	run(t, openDB(t, driver, strings.Replace(dsn, "journal_mode(WAL)", "journal_mode(DELETE)", 1)), "CREATE TABLE mine (n int)")
	if err := lite.Migrate(t.Context()); !errors.Is(err, sqlinbox.ErrNotDurable) {
		t.Errorf("Migrate of a file with journal_mode DELETE returned %v, want ErrNotDurable", err)
	}
}

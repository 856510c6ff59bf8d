package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
)

// rowsOf returns the rows of a table as text.
func rowsOf(t *testing.T, db *sql.DB, table string) (text string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	must(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		values, places := make([]sql.Null[[]byte], len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		must(t, rows.Scan(places...))
		for _, v := range values {
			text += string(v.V) + "|"
		}
	}
	must(t, rows.Err())
	return text
}

func TestSecretsAreSealedWhereTheyAreStored(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s, log := loggedStore(t, in, sealKey("key"))
		must(t, s.Migrate(t.Context()))
		createEndpoint(t, s, endpoint("ep", "*"))
		_, err := s.Update(t.Context(), "ep", func(e *publish.Endpoint) error {
			e.Secrets = append(e.Secrets, publish.Secret{Secret: webhook.NewSecret("very-secret-too")})
			return nil
		})
		must(t, err)
		text := rowsOf(t, db, "hookhouse_endpoints")
		for _, secret := range []string{"very-secret", "dmVyeS1zZWNyZX"} { // in Base64
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %q", secret, text)
			}
		}
		if !strings.Contains(text, "example.com") {
			t.Errorf("the host is not in %q", text)
		}
		got, err := s.Get(t.Context(), "ep")
		if err != nil || len(got.Secrets) != 2 || !got.Secrets[1].Equal([]byte("very-secret-too")) || got.Meta["a"] != "very-secret-meta" {
			t.Errorf("Get returned %v, %v", got, err)
		}
		if log.Len() > 0 {
			t.Errorf("it has logged %s", log)
		}
	})
}

func TestClearTextSecretsAreLoggedAsAWarning(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s, log := loggedStore(t, in)
		must(t, s.Migrate(t.Context()))
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "CLEAR TEXT") {
			t.Errorf("Migrate has logged %q", log)
		}
		createEndpoint(t, s, endpoint("ep", "*"))
		if text := rowsOf(t, db, "hookhouse_endpoints"); !strings.Contains(text, "very-secret-path") {
			t.Errorf("the URL is not in %q", text)
		}
	})
}

func TestSealKeysCanBeRotated(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const n = 210
		in, db := e.open(t)
		clear, _ := loggedStore(t, in)
		must(t, clear.Migrate(t.Context()))
		createEndpoint(t, clear, endpoint("clear", "*"))
		before, _ := loggedStore(t, in, sealKey("old"))
		for i := range n {
			createEndpoint(t, before, endpoint(fmt.Sprint("ep", i), "*"))
		}
		s, log := loggedStore(t, in, sealKey("new"), sealKey("old"))
		must(t, s.Migrate(t.Context()))
		if !strings.Contains(log.String(), "Reseal") || !strings.Contains(log.String(), fmt.Sprint("endpoints=", n+1)) {
			t.Errorf("Migrate has logged %q", log)
		}
		var updates sync.WaitGroup
		updates.Go(func() { // which writes the rows, and seals nothing
			for i := range n {
				_, err := s.Record(t.Context(), attemptOf(fmt.Sprint("ep", i), publish.Failed))
				wantNil(t, err)
			}
		})
		updates.Go(func() { // while they are resealed
			for i := range n / 10 {
				_, err := s.Update(t.Context(), fmt.Sprint("ep", i*10), func(e *publish.Endpoint) error {
					e.Meta["updated"] = "very-secret-update"
					return nil
				})
				wantNil(t, err)
			}
		})
		_, err := s.Reseal(t.Context())
		must(t, err)
		updates.Wait()
		if again, err := s.Reseal(t.Context()); err != nil || again != 0 {
			t.Errorf("the second Reseal returned %d, %v", again, err)
		}
		after, log := loggedStore(t, in, sealKey("new"))
		must(t, after.Migrate(t.Context()))
		seen := 0
		for got, err := range after.All(t.Context(), publish.Filter{}) {
			must(t, err)
			seen++
			if got.URL != endpoint("", "*").URL || got.Meta["a"] != "very-secret-meta" {
				t.Errorf("%v has the URL %s", got, got.URL)
			}
		}
		if got, err := after.Get(t.Context(), "ep10"); err != nil || got.Meta["updated"] == "" || seen != n+1 || log.Len() > 0 {
			t.Errorf("%d endpoints, %v, log %s", seen, err, log)
		}
		if text := rowsOf(t, db, "hookhouse_endpoints"); strings.Contains(text, "very-secret") {
			t.Error("there is clear text left")
		}
	})
}

func TestSecretsThatCannotBeOpenedAreErrSealed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s := publishStore(t, in)
		createEndpoint(t, s, endpoint("one", "*"))
		createEndpoint(t, s, endpoint("two", "*"))
		other, _ := loggedStore(t, in, sealKey("other"))
		none, _ := loggedStore(t, in)
		same, _ := loggedStore(t, in, webhook.Key{Label: "first", Secret: webhook.NewSecret(strings.Repeat("wrong", 10))})
		short, _ := loggedStore(t, in, webhook.Key{Label: "short", Secret: webhook.NewSecret("short")})
		for what, tt := range map[string]struct {
			store *sqlstore.Store
			want  error
		}{"another key": {other, sqlstore.ErrSealed}, "another key with its label": {same, sqlstore.ErrSealed}, "no key": {none, sqlstore.ErrSealed}, "a short key": {short, sqlstore.ErrSealKeys}} {
			_, got := tt.store.Get(t.Context(), "one")
			var listed error
			for _, err := range tt.store.All(t.Context(), publish.Filter{}) {
				listed = err
			}
			_, updated := tt.store.Update(t.Context(), "one", func(*publish.Endpoint) error { return nil })
			for call, err := range map[string]error{"Migrate": tt.store.Migrate(t.Context()), "Check": tt.store.Check(t.Context()), "Get": got, "All": listed, "Update": updated} {
				if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "very-secret") {
					t.Errorf("%s with %s returned %v, want %v", call, what, err, tt.want)
				}
			}
			if targets, err := tt.store.Match(t.Context(), "acme", "a.b"); err != nil || len(targets) != 2 {
				t.Errorf("Match, which needs no key, returned %v, %v", targets, err)
			}
		}
		if _, err := none.Reseal(t.Context()); !errors.Is(err, sqlstore.ErrSealKeys) {
			t.Errorf("Reseal without keys returned %v", err)
		}
		run(t, db, "UPDATE hookhouse_endpoints SET secrets = (SELECT secrets FROM hookhouse_endpoints WHERE id = 'two') WHERE id = 'one'")
		if got, err := s.Get(t.Context(), "one"); !errors.Is(err, sqlstore.ErrSealed) {
			t.Errorf("with the secrets of another endpoint Get returned %v, %v", got, err)
		}
	})
}

func TestADamagedRowIsAnErrorThatNamesTheEndpoint(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		s, _ := loggedStore(t, in)
		must(t, s.Migrate(t.Context()))
		createEndpoint(t, s, endpoint("good", "*"))
		createEndpoint(t, s, endpoint("damaged", "*"))
		run(t, db, "UPDATE hookhouse_endpoints SET doc = '{\"name\": very-secret' WHERE id = 'damaged'")
		_, err := s.Get(t.Context(), "damaged")
		if err == nil || !strings.Contains(err.Error(), `"damaged"`) || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("Get returned %v", err)
		}
		var good int
		var last error
		for _, err := range s.All(t.Context(), publish.Filter{}) {
			if last = err; err == nil {
				good++
			}
		}
		if good != 1 || last == nil {
			t.Errorf("All returned %d endpoints, then %v", good, last)
		}
		must(t, s.Delete(t.Context(), "damaged"))
	})
}

package dbtest

import (
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Between the reading of a row and its writing by Reseal, the failing of its endpoint begins,
// or an Update changes its secrets.
func TestResealMissesNoRowThatIsWrittenMeanwhile(t *testing.T) {
	for _, e := range []engine{modernc, onPostgres(t)} {
		for name, tt := range map[string]struct {
			write    func(s publish.Store) error
			resealed int
			meta     string
		}{
			"Record": {func(s publish.Store) error {
				_, err := s.Record(t.Context(), attemptOf("ep", publish.Failed))
				return err
			}, 1, "very-secret-meta"},
			"Update": {func(s publish.Store) error {
				_, err := s.Update(t.Context(), "ep", func(e *publish.Endpoint) error {
					e.Meta["a"] = "very-secret-update"
					return nil
				})
				return err
			}, 0, "very-secret-update"},
		} {
			t.Run(e.Name+" "+name, func(t *testing.T) {
				driver, dsn := e.store(t)
				in, _ := e.reopen(t, driver, dsn)
				old, _ := loggedStore(t, in, sealKey("old"))
				must(t, old.Migrate(t.Context()))
				createEndpoint(t, old, endpoint("ep", "*"))
				other, _ := loggedStore(t, in, sealKey("new"), sealKey("old"))
				db, plan, err := fault.Open(driver, dsn)
				must(t, err)
				t.Cleanup(func() { _ = db.Close() })
				watched := sqlinbox.New(db, e.Dialect)
				t.Cleanup(func() { _ = watched.Close() })
				s, _ := loggedStore(t, watched, sealKey("new"), sealKey("old"))
				var once sync.Once
				plan.Watch(nil, func(what string) {
					if strings.Contains(what, "sealed_by <> ") {
						once.Do(func() { wantNil(t, tt.write(other)) })
					}
				})
				n, err := s.Reseal(t.Context())
				plan.Watch(nil, nil)
				if err != nil || n != tt.resealed {
					t.Errorf("Reseal returned %d, %v, want %d", n, err, tt.resealed)
				}
				after, _ := loggedStore(t, in, sealKey("new"))
				got, err := after.Get(t.Context(), "ep")
				if err != nil || got.Meta["a"] != tt.meta {
					t.Errorf("with the new key Get returned %v, %v", got, err)
				}
			})
		}
	}
}

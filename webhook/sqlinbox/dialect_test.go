package sqlinbox

import (
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/internal/statement"
)

// The statements of a put differ: PostgreSQL's take a batch or a lone delivery,
// where SQLite's take one of many and have nothing to lock, and so nothing that is
// to be tried. Only SQLite looks at all dedup keys in turn, and has their hashes from Go.
func TestDialectsHaveTheSameStatements(t *testing.T) {
	lite, pg := SQLite.queries, PostgreSQL.queries
	ofBatches := []string{"lookup", "demote_head", "insert", "delete_dedup_keys"}
	alone := []string{
		// SQLite
		"insert_dedup_key", "insert_dedup_key_pair", "delete_new_dedup_key", "replace_dedup_key", "insert_bodies",
		"marks", "insert_mark", "file",
		// PostgreSQL
		"insert_one", "try_lock", "try_find", "lock", "replay", "settle_group", "promote_group", "isolation", "default_isolation", "replicate",
	}
	for name, q := range lite {
		other, ok := pg[name]
		if !ok {
			if !slices.Contains(alone, name) {
				t.Errorf("PostgreSQL lacks %s", name)
			}
			continue
		}
		if slices.Contains(ofBatches, name) || q.Text == "" || other.Text == "" {
			continue // an empty one has nothing to do there
		}
		want := names(q)
		got := names(other)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("arguments of %s (-SQLite +PostgreSQL):\n%s", name, diff)
		}
	}
	for name := range pg {
		if _, ok := lite[name]; !ok && !slices.Contains(alone, name) {
			t.Errorf("SQLite lacks %s", name)
		}
	}
}

func names(q statement.Query) []string {
	set := make(map[string]bool)
	for _, name := range q.Args {
		if name != "now" {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// The planner has to read the limit in the text, for what waits and for what is
// claimed.
func TestAClaimIsLimitedInTheTextToo(t *testing.T) {
	limit := fmt.Sprintf(" LIMIT %d)", claimLimit)
	if n := strings.Count(PostgreSQL.queries["claim"].Text, limit); n != 2 {
		t.Errorf("%q appears %d times, want 2", limit, n)
	}
}

func TestNewRefusesNil(t *testing.T) {
	for name, f := range map[string]func(){
		"no database": func() { New(nil, SQLite) },
		"no dialect":  func() { New(new(sql.DB), nil) },
		"no handler":  func() { New(new(sql.DB), SQLite).SkipStale(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			f()
		})
	}
}

func TestReasonsAreCutToWhatIsKept(t *testing.T) {
	got := reason("a\x00b\xff" + strings.Repeat("\u00e4", 4096))
	if !isText(got) || len(got) > limit.Reason+8 || !strings.HasPrefix(got, "a\uFFFDb\uFFFD\u00e4") {
		t.Errorf("%d bytes, begins %q", len(got), got[:12])
	}
}

// SQLite compiles a statement again at each use when its limit is an argument.
func TestSQLiteHasNoBareLimit(t *testing.T) {
	bare := regexp.MustCompile(`LIMIT\s+\?(\s*(\)|$)|\s+[^+\s])`)
	for name, q := range SQLite.queries {
		if at := bare.FindString(q.Text); at != "" {
			t.Errorf("%s: %q", name, at)
		}
	}
	for _, text := range []string{"LIMIT ?", "LIMIT ?)", "LIMIT ? UNION"} {
		if !bare.MatchString(text) {
			t.Errorf("%q is not found", text)
		}
	}
	if bare.MatchString("LIMIT ? + 0") {
		t.Error("a limit that is an expression is refused")
	}
}

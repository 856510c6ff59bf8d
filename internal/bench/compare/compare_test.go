package compare

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

func TestMain(m *testing.M) { envtest.Main(m) }

// pacerAsItIs is built from the files as they are, once for all tests.
var pacerAsItIs = sync.OnceValues(func() (pacer, error) {
	return buildPacer(context.Background(), envtest.Env.Folder, "as-it-is", "")
})

// Each commit is measured by package pace of the files as they are.
func TestTwoCommitsTakeTurns(t *testing.T) {
	folder := t.TempDir()
	before, err := buildPacer(t.Context(), folder, "before", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	after, err := pacerAsItIs()
	if err != nil {
		t.Fatal(err)
	}
	trees, err := command(t.Context(), ".", "git", "worktree", "list")
	if err != nil || strings.Contains(trees, folder) {
		t.Errorf("a tree is left, %v:\n%s", err, trees)
	}
	if before.version == after.version || !strings.HasSuffix(after.version, before.version) {
		t.Errorf("before is %q, after %q", before.version, after.version)
	}
	o := comparison{metrics: pace.Metrics, count: 1, share: 0.001, only: "lone,to a key"}
	rows, err := o.measure(t.Context(), envtest.Env, [2]pacer{before, after})
	if err != nil {
		t.Fatal(err) // also if a store does not hold what it must
	}
	var out bytes.Buffer
	printRows(&out, rows)
	for _, name := range []string{"Put, a lone sender", "drain, ten to a key, 64 at once"} {
		for _, b := range env.Databases {
			if envtest.Env.Has(b) {
				envtest.Complete(t, out.String(), name+" | "+string(b))
			}
		}
	}
	for _, r := range rows {
		if a := r.aim(); len(r.slices[0]) == 0 || len(r.slices[0]) != len(r.slices[1]) || a.Got <= 0 {
			t.Errorf("%s, %s: %d and %d slices, %+v", r.Name, r.backend, len(r.slices[0]), len(r.slices[1]), a)
		}
	}
}

func TestAComparisonFromAfarIsOfPostgreSQL(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) {
		return // env.New has printed it
	}
	p, err := pacerAsItIs()
	if err != nil {
		t.Fatal(err)
	}
	const trip = 10 * time.Millisecond
	rows, err := comparison{metrics: pace.Metrics, count: 1, share: 0.001, only: "lone", trip: trip}.measure(t.Context(), envtest.Env, [2]pacer{p, p})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].backend != env.PostgreSQL {
		t.Fatalf("%d rows", len(rows))
	}
	for side, slices := range rows[0].slices {
		for _, s := range slices {
			if s.Took < time.Duration(s.Done)*trip {
				t.Errorf("side %d: %d Puts took %v, less than a round trip each", side, s.Done, s.Took)
			}
		}
	}
}

func TestFilledStoresAreCompared(t *testing.T) {
	p, err := pacerAsItIs()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := comparison{metrics: pace.Filled, count: 1, share: 0.001, only: "SQLite"}.measure(t.Context(), envtest.Env, [2]pacer{p, p})
	if err != nil {
		t.Fatal(err) // also if a store does not hold what it must
	}
	for i, want := range []int{8, 3} { // slices of Puts, slices of time
		if a := rows[i].aim(); len(rows[i].slices[0]) != want || len(rows[i].slices[1]) != want || a.Got <= 0 || a.Want != 1.25 {
			t.Errorf("%s: %d and %d slices, %+v", rows[i].Name, len(rows[i].slices[0]), len(rows[i].slices[1]), a)
		}
	}
}

func TestACommitThatDoesNotExistIsAnError(t *testing.T) {
	if p, err := buildPacer(t.Context(), t.TempDir(), "none", "no-such-commit"); err == nil {
		t.Errorf("built %+v", p)
	}
	if err := Run(t.Context(), []string{"-count", "1"}); err == nil {
		t.Error("compared with no commit")
	}
	if err := Filled(t.Context(), env.NewFlags("durable", 1, ""), "", ""); err == nil {
		t.Error("compared filled stores with no commit")
	}
}

// The clock compares slices that ran one after the other, processor time all of
// them together.
func TestAMultipleAboveOneIsFaster(t *testing.T) {
	result := func(took, cpu, database time.Duration) slice {
		return slice{pace.Slice{Done: 100, Took: took, CPU: cpu}, database}
	}
	const ms = time.Millisecond
	r := &row{Metric: pace.Metric{Name: "drain", Least: 0.97}, backend: env.PostgreSQL}
	r.slices[0] = []slice{result(100*ms, 30*ms, 20*ms), result(900*ms, 30*ms, 20*ms), result(120*ms, 30*ms, 20*ms)}
	r.slices[1] = []slice{result(50*ms, 20*ms, 0), result(450*ms, 20*ms, 30*ms), result(60*ms, 20*ms, 10*ms)}
	if a := r.aim(); fmt.Sprintf("%.2f %.2f %.2f %s", a.Got, a.Best, a.CPU, a.VerdictByCPU()) != "2.00 2.00 1.50 reached" {
		t.Errorf("got %+v, %s", a, a.VerdictByCPU())
	}
	r.slices[0], r.slices[1] = r.slices[1], r.slices[0]
	if a := r.aim(); fmt.Sprintf("%.2f %.2f %s", a.Got, a.CPU, a.VerdictByCPU()) != "0.50 0.67 missed" {
		t.Errorf("got %+v, %s", a, a.VerdictByCPU())
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// pacerAsItIs is built from the files as they are, once for all tests.
var pacerAsItIs = sync.OnceValues(func() (pacer, error) {
	return buildPacer(context.Background(), theSite.folder, "as-it-is", "")
})

// What a commit's own bench is does not matter: it gets this one's.
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
	o := compareRun{count: 1, share: 0.001, only: "lone,to a key"}
	rows, err := o.measure(t.Context(), theSite, [2]pacer{before, after})
	if err != nil {
		t.Fatal(err) // also where a store does not hold what it must
	}
	var out bytes.Buffer
	printCompared(&out, rows)
	for _, name := range []string{"Put, a lone sender", "drain, ten to a key, 64 at once"} {
		for _, e := range engines {
			if row := fmt.Sprintf("\n| %s | %s | ", name, e.in); theSite.has(e.in) && !strings.Contains(out.String(), row) {
				t.Errorf("no row %q in\n%s", row, out.String())
			}
		}
	}
	for _, r := range rows {
		if a := r.aim(); len(r.slices[0]) == 0 || len(r.slices[0]) != len(r.slices[1]) || a.got <= 0 {
			t.Errorf("%s, %s: %d and %d slices, %+v", r.Name, r.in, len(r.slices[0]), len(r.slices[1]), a)
		}
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("a figure is missing in\n%s", out.String())
	}
}

func TestAComparisonFromAfarIsOfPostgreSQL(t *testing.T) {
	if !theSite.has(inPostgres) {
		return // and newSite said so
	}
	p, err := pacerAsItIs()
	if err != nil {
		t.Fatal(err)
	}
	const trip = 10 * time.Millisecond
	rows, err := compareRun{count: 1, share: 0.001, only: "lone", trip: trip}.measure(t.Context(), theSite, [2]pacer{p, p})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].in != inPostgres {
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

func TestACommitThatIsNotThereIsToldOf(t *testing.T) {
	if p, err := buildPacer(t.Context(), t.TempDir(), "none", "no-such-commit"); err == nil {
		t.Errorf("built %+v", p)
	}
	if err := compare(t.Context(), []string{"-count", "1"}); err == nil {
		t.Error("compared with no commit")
	}
}

// Slices are compared with their neighbours in time, processor time as a whole.
func TestAMultipleAboveOneIsFaster(t *testing.T) {
	slice := func(took, cpu, database time.Duration) pacedSlice {
		return pacedSlice{pace.Slice{Done: 100, Took: took, CPU: cpu}, database}
	}
	const ms = time.Millisecond
	r := &comparedRow{Metric: pace.Metric{Name: "drain", Least: 0.97}, in: inPostgres}
	r.slices[0] = []pacedSlice{slice(100*ms, 30*ms, 20*ms), slice(900*ms, 30*ms, 20*ms), slice(120*ms, 30*ms, 20*ms)}
	r.slices[1] = []pacedSlice{slice(50*ms, 20*ms, 0), slice(450*ms, 20*ms, 30*ms), slice(60*ms, 20*ms, 10*ms)}
	if a := r.aim(); fmt.Sprintf("%.2f %.2f %.2f %s", a.got, a.best, a.cpu, a.verdict()) != "2.00 2.00 1.50 reached" {
		t.Errorf("got %+v, %s", a, a.verdict())
	}
	r.slices[0], r.slices[1] = r.slices[1], r.slices[0]
	if a := r.aim(); fmt.Sprintf("%.2f %.2f %s", a.got, a.cpu, a.verdict()) != "0.50 0.67 missed" {
		t.Errorf("got %+v, %s", a, a.verdict())
	}
}

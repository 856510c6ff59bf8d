package pace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// serve runs m on a new SQLite and returns the answers to that many lines.
func serve(t *testing.T, m Metric, lines int) ([]Slice, error) {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "pace.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	var out bytes.Buffer
	err := m.Serve(t.Context(), SQLite, dsn, strings.NewReader(strings.Repeat("\n", lines)), &out)
	var got []Slice
	for all := json.NewDecoder(&out); ; {
		var s Slice
		if failed := all.Decode(&s); errors.Is(failed, io.EOF) {
			return got, err
		} else if failed != nil {
			t.Fatal(failed)
		}
		got = append(got, s)
	}
}

func TestAMetricIsMeasuredInSlicesUntilAllIsDone(t *testing.T) {
	for _, m := range slices.Concat(Metrics, Filled) {
		t.Run(m.Name, func(t *testing.T) {
			m, err := Find(m.Name, 0.001)
			if err != nil {
				t.Fatal(err)
			}
			got, err := serve(t, m, 9)
			if err != nil {
				t.Fatal(err)
			}
			done := 0
			for _, s := range got {
				if done += s.Done; s.Done > 0 && s.Took <= 0 {
					t.Errorf("got %+v", s)
				}
			}
			if len(got) != 10 || got[0].Done != 0 || got[1].Done == 0 || got[9].Done != 0 || m.For == 0 && done != m.Ops {
				t.Errorf("got %+v, %d operations of %d", got, done, m.Ops)
			}
		})
	}
}

func TestAMetricThatDoesNotDoItsWorkFails(t *testing.T) {
	lie := func(_ context.Context, _ *sqlinbox.Inbox, _, n int) (int, error) { return n, nil }
	for _, m := range slices.Concat(Metrics, Filled) {
		if m.unfinished(10, 5) == m.unfinished(10, 0) {
			continue // it checks each claim itself
		}
		t.Run(m.Name, func(t *testing.T) {
			m, err := Find(m.Name, 0.001)
			if err != nil {
				t.Fatal(err)
			}
			m.do = lie
			if _, err := serve(t, m, 1); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestMetricsHaveNamesOfTheirOwnAndSeveralSlices(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range slices.Concat(Metrics, Filled) {
		if names[m.Name] || m.Ops < 5*m.Slice || m.For > 0 && m.Ops < 3 {
			t.Errorf("%s: %d operations in slices of %d", m.Name, m.Ops, m.Slice)
		}
		names[m.Name] = true
	}
	if _, err := Find("no such", 1); err == nil {
		t.Error("found a metric that does not exist")
	}
}

package pace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// serve runs m on a new SQLite with so many lines, and returns what it told.
func serve(t *testing.T, m Metric, lines int) ([]Slice, error) {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "pace.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	var out bytes.Buffer
	err := m.Serve(t.Context(), SQLite, dsn, strings.NewReader(strings.Repeat("\n", lines)), &out)
	var told []Slice
	for all := json.NewDecoder(&out); ; {
		var s Slice
		if failed := all.Decode(&s); errors.Is(failed, io.EOF) {
			return told, err
		} else if failed != nil {
			t.Fatal(failed)
		}
		told = append(told, s)
	}
}

func TestAMetricIsMeasuredInSlicesUntilAllIsDone(t *testing.T) {
	for _, m := range Metrics {
		t.Run(m.Name, func(t *testing.T) {
			m, err := Find(m.Name, 0.001)
			if err != nil {
				t.Fatal(err)
			}
			told, err := serve(t, m, 4)
			if err != nil {
				t.Fatal(err)
			}
			done := 0
			for _, s := range told {
				if done += s.Done; s.Done > 0 && s.Took <= 0 {
					t.Errorf("got %+v", s)
				}
			}
			if len(told) != 5 || told[0].Done != 0 || told[4].Done != 0 || done != m.Ops {
				t.Errorf("got %+v, %d operations of %d", told, done, m.Ops)
			}
		})
	}
}

func TestAMetricThatDoesNotDoItsWorkIsFoundOut(t *testing.T) {
	lie := func(_ context.Context, _ *sqlinbox.Inbox, _, n int) (int, error) { return n, nil }
	for _, m := range Metrics {
		if m.unfinished(10, 5) == m.unfinished(10, 0) {
			continue // it changes no number, and checks each claim itself
		}
		t.Run(m.Name, func(t *testing.T) {
			m, err := Find(m.Name, 0.001)
			if err != nil {
				t.Fatal(err)
			}
			m.do = lie
			if _, err := serve(t, m, 1); err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

func TestNamesTellMetricsApart(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range Metrics {
		if names[m.Name] || m.Ops < 5*m.Slice {
			t.Errorf("%s: %d operations in slices of %d", m.Name, m.Ops, m.Slice)
		}
		names[m.Name] = true
	}
	if _, err := Find("no such", 1); err == nil {
		t.Error("a metric was found that is none")
	}
}

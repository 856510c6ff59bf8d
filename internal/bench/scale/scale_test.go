package scale

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

// TestMain is also the process whose memory is measured.
func TestMain(m *testing.M) { envtest.Main(m, Commands) }

// Every shape has the rows that its name says and can be claimed from.
func TestFilledTablesAreWhatTheirNamesSay(t *testing.T) {
	for _, tt := range []struct {
		shape schema.Shape
		want  map[webhook.State]int
	}{
		{schema.Finished, map[webhook.State]int{webhook.Done: fewRows, webhook.Waiting: 1000}},
		{schema.OneKey, map[webhook.State]int{webhook.Waiting: 1, webhook.Blocked: fewRows - 1}},
		{schema.TenToKey, map[webhook.State]int{webhook.Waiting: fewRows / 10, webhook.Blocked: fewRows * 9 / 10}},
	} {
		for _, b := range env.Databases {
			if !envtest.Env.Has(b) {
				continue
			}
			t.Run(fmt.Sprint(tt.shape.Name, ", ", b), func(t *testing.T) {
				table, remove, err := openTable(t.Context(), envtest.Env, b, tt.shape, fewRows)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := errors.Join(table.Close(), remove()); err != nil {
						t.Error(err)
					}
				}()
				if got := envtest.States(t, table.DB); fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				if err := table.claim(t.Context(), 20); err != nil {
					t.Fatal(err)
				}
				if got := envtest.States(t, table.DB)[webhook.Done] - tt.want[webhook.Done]; got != 20 || len(table.took) != 20 {
					t.Errorf("%d are settled and %d timed, want 20", got, len(table.took))
				}
			})
		}
	}
}

func TestTheMemoryOfAProcessIsMeasured(t *testing.T) {
	table, remove, err := openTable(t.Context(), envtest.Env, env.SQLite, schema.TenToKey, fewRows)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(table.Close(), remove()) }()
	m, err := table.measureMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Heap < 1<<16 || m.Heap > 1<<28 {
		t.Errorf("got %+v", m)
	}
}

package fault_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var (
	every = flag.Bool("every", false, "break each operation in each way, not only in one")
	only  = flag.Int("at", 0, "break only this operation of the scenario, in each way")
)

func TestWhateverBreaksOnceNothingIsLostOrHalfWritten(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		whole, _ := runScenario(t, e, 0, 0)
		t.Logf("the scenario has %d operations", whole)
		for _, k := range fault.Kinds {
			t.Run(k.String(), func(t *testing.T) { breakEach(t, e, k, whole) })
		}
	})
}

// breakEach runs the scenario once for each of its operations, four at a time.
// Without the flags each operation is broken in one of the five ways, by turns. On
// PostgreSQL, which takes longer, only every second one is.
func breakEach(t *testing.T, e engine.Engine, k fault.Kind, whole int) {
	turns := len(fault.Kinds)
	if e.Dialect == sqlinbox.PostgreSQL {
		turns *= 2
	}
	if *every || *only > 0 {
		turns = 1
	}
	// Concurrent Puts share transactions by chance, so the number of operations varies
	// by a few.
	const slack = 20
	var all sync.WaitGroup
	slots := make(chan struct{}, 4)
	for n := 1; n <= whole+slack; n++ {
		// n/turns is added because the scenario repeats itself.
		if (n+n/turns)%turns != int(k)%turns || *only > 0 && n != *only {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if _, broke := runScenario(t, e, n, k); broke == "" && n < whole-slack {
				t.Errorf("operation %d of %d did not break", n, whole)
			}
		})
	}
	all.Wait()
}

// runScenario returns the number of operations, and what broke.
func runScenario(t *testing.T, e engine.Engine, n int, k fault.Kind) (count int, broke string) {
	r, err := newRig(e.NewStore(t))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	faults := r.scenario(n, k)
	count, broke = r.plan.Count(), r.plan.Broke()
	if err := r.close(); err != nil {
		faults = append(faults, fmt.Sprint("close: ", err))
	}
	if len(faults) > 0 {
		t.Errorf("%d, %s: %s:\n\t%s", n, k, broke, strings.Join(faults, "\n\t"))
	}
	return count, broke
}

package snapshot

import (
	"bytes"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
)

func TestMain(m *testing.M) { envtest.Main(m) }

func TestClaimsAreTimedInEachMoment(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) {
		return // env.New has printed it
	}
	rows, err := measure(t.Context(), envtest.Env, 2, 3, []int{10, 20})
	if err != nil {
		t.Fatal(err) // also if a claim finds something
	}
	var out bytes.Buffer
	printRows(&out, rows)
	for _, name := range []string{withoutSnapshot, snapshotOpen, snapshotEnded, snapshotAfter} {
		for _, n := range []string{"10", "20"} {
			envtest.Complete(t, out.String(), n+" | "+name)
		}
	}
	for _, r := range rows {
		if len(r.took) != 2*3 || r.took[0] <= 0 {
			t.Errorf("%s, %d: %v", r.moment, r.deliveries, r.took)
		}
	}
}

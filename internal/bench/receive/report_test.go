package receive

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

func TestATableHasARowForEachImplementation(t *testing.T) {
	r := race{sender.RealPush, pushImpls}
	benches, err := runRace(r, 1, time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	printRace(&out, r, benches)
	printAims(&out, raceAims(benches))
	for _, c := range r.impls {
		envtest.Complete(t, out.String(), c.Name)
	}
}

func TestEveryImplementationServesOverTheNetwork(t *testing.T) {
	servers, err := runServers(t.Context(), 1, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	printServers(&out, servers)
	for _, s := range servers {
		if len(s.rps) != 1 || s.rps[0] <= 0 || s.p99[0] < s.p50[0] || s.cpu[0] <= 0 {
			t.Errorf("%s: %+v", s.Name, s)
		}
		envtest.Complete(t, out.String(), s.Name)
	}
}

// TestMain is also the processes of servers and generators.
func TestMain(m *testing.M) {
	envtest.Commands(Commands, sender.Commands)
	os.Exit(m.Run())
}

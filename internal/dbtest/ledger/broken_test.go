package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
)

func TestBrokenPromiseIsFound(t *testing.T) {
	const few, many = 2 * broken.Rarely, 10 * broken.Rarely
	for variant, test := range map[broken.Variant]struct {
		sent int
		want string
	}{
		broken.LosesOne:       {few, "was acknowledged and lost"},
		broken.DeniesOne:      {few, "was stored 0 times"},
		broken.RepeatsOne:     {few, "ran twice"},
		broken.DoneForDead:    {few, "by the ledger dead"},
		broken.NoDedupKeys:    {few, "was stored 2 times"},
		broken.NoOrderingKeys: {many, "which was acknowledged before it was sent"},
		broken.NoCoalescing:   {few, "no delivery of a burst was superseded"},
	} {
		t.Run(string(variant), func(t *testing.T) {
			tr := newTrial(t, onSQLite(t))
			tr.used = variant.Of(tr.inbox)
			tr.run(t, test.sent)
			if !slices.ContainsFunc(tr.book.Faults, func(fault string) bool { return strings.Contains(fault, test.want) }) {
				t.Errorf("got %q, want %q among them", tr.book.Faults, test.want)
			}
		})
	}
}

package dbtest

import (
	"runtime"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// noneLeft waits until there are no more goroutines than before.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	must(t, wait.Until(t.Context(), "no goroutine is left", func() bool { return goroutines() <= before }))
}

// goroutines returns how many goroutines there are. Those of pgx that read from a connection
// which was slow to write to do not count: an idle one is read from until it is used again.
func goroutines() int {
	stacks := make([]byte, 4<<20)
	n := 0
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if !strings.Contains(stack, "bgreader.(*BGReader).bgRead(") {
			n++
		}
	}
	return n
}

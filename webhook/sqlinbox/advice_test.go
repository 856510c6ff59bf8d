package sqlinbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func TestWhoWaitsForATransactionOfInTxIsToldToUsePutTx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(turn, 1) // by the InTx inside which a Put waits
		err := held.takeSoon()
		if err == nil || !strings.HasSuffix(err.Error(), "database is locked by a transaction of InTx: inside one use PutTx") {
			t.Errorf("takeSoon returned %v", err)
		}
		wrapped := fmt.Errorf("put: %w", err)
		if got := SQLite.inTxError(wrapped); !errors.Is(got, wrapped) || got.Error() != wrapped.Error() {
			t.Errorf("%v: another advice besides", got)
		}
	})
}

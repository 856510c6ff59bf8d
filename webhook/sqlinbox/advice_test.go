package sqlinbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAWriteThatWaitsForInTxSaysToUsePutTx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := make(writeMutex, 1) // by the InTx inside which a Put waits
		err := locked.lockSoon()
		if err == nil || !strings.HasSuffix(err.Error(), "database is locked by a transaction of InTx or Write: inside one use PutTx") {
			t.Errorf("lockSoon returned %v", err)
		}
		wrapped := fmt.Errorf("put: %w", err)
		if got := new(sqliteEngine).txError("InTx", wrapped); !errors.Is(got, wrapped) || got.Error() != wrapped.Error() {
			t.Errorf("%v: another advice besides", got)
		}
	})
}

package sqlinbox

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A migration may copy dedup keys for half a minute while another program waits.
func TestMigrateWaitsAMinuteForAnotherMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := retryBusy(t.Context(), migrateWait, func() error {
			if time.Since(start) < time.Minute {
				return errors.New("database is locked")
			}
			return nil
		})
		if err != nil {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

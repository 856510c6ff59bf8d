package webhook_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// counts returns how many deliveries an inbox has in each state.
func counts(t *testing.T, in webhook.Admin) map[webhook.State]int {
	t.Helper()
	st, err := in.Stats(t.Context())
	if err != nil {
		t.Error(err)
	}
	return st.Count
}

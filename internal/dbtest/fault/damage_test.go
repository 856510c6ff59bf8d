package fault_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook"
)

// This tests the checks: damage as by a bug of the inbox must be found.
func TestEachKindOfDamageIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage string // statements; UID is that of an acknowledged delivery
		want   string // in a fault
	}{
		{"an acknowledged delivery is missing", "DELETE FROM hookhouse_deliveries WHERE uid = UID; DELETE FROM hookhouse_bodies; DELETE FROM hookhouse_dedup_keys", "is stored 0 times"},
		{"a body is missing", "DELETE FROM hookhouse_bodies WHERE id = (SELECT id FROM hookhouse_deliveries WHERE uid = UID)", "deliveries without a body"},
		{"a body has no delivery", "DELETE FROM hookhouse_deliveries WHERE uid = UID", "bodies without a delivery"},
		{"a dedup key is missing", "DELETE FROM hookhouse_dedup_keys WHERE hash = (SELECT hash FROM hookhouse_dedup_keys ORDER BY hash LIMIT 1)", "has 1 dedup keys, want 2"},
		{"dedup keys point nowhere", "UPDATE hookhouse_dedup_keys SET delivery_id = -1", "dedup keys of nothing"},
		{"a delivery is blocked by nothing", "UPDATE hookhouse_deliveries SET state = 'blocked' WHERE uid = UID", "deliveries blocked by nothing"},
		{"a done delivery has no end", "UPDATE hookhouse_deliveries SET state = 'done' WHERE uid = UID", "finished without an end"},
		{"a delivery is stored twice", `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
			SELECT 'uid0009', source, sender_id, type, '', key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, 'waiting', burst_started_at, due_at FROM hookhouse_deliveries WHERE uid = UID`, "is stored and was never sent"},
		{"a delivery is not done", "", "are not done"},
		{"nothing", "UPDATE hookhouse_deliveries SET state = 'done', finished_at = due_at", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openRig(t, engine.Modernc.NewStore(t))
			m := &message{name: "one", key: "key", dedupKeys: []string{"one", "two"}}
			r.send(m)
			for _, text := range strings.Split(strings.ReplaceAll(c.damage, "UID", "'"+m.acknowledged[0]+"'"), ";") {
				if _, err := r.direct.Exec(text); err != nil && text != "" {
					t.Fatal(err)
				}
			}
			r.checkTables("now")
			r.checkMessages(false)
			if got := strings.Join(r.faults, "\n"); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("faults are %q, want %q among them", got, c.want)
			}
		})
	}
}

func TestACallThatAlwaysFailsIsFound(t *testing.T) {
	r := openRig(t, engine.Modernc.NewStore(t))
	_ = r.retry("wait", func(ctx context.Context) error { return webhook.ErrNotStored }, webhook.ErrDuplicate)
	if len(r.faults) != 1 || !strings.Contains(r.faults[0], "always fails") {
		t.Errorf("faults are %q", r.faults)
	}
}

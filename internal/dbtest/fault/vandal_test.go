package fault_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// The test of the test: what would be a bug of the inbox is done by hand, and
// must be found.
func TestTheBooksShowEachKindOfDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage string // statements; UID stands for that of an acknowledged delivery
		want   string // in a complaint
	}{
		{"an acknowledged delivery is gone", "DELETE FROM hookhouse_deliveries WHERE uid = UID; DELETE FROM hookhouse_bodies; DELETE FROM hookhouse_dedup_keys", "is there 0 times"},
		{"a body is missing", "DELETE FROM hookhouse_bodies WHERE id = (SELECT id FROM hookhouse_deliveries WHERE uid = UID)", "deliveries without a body"},
		{"a body has no delivery", "DELETE FROM hookhouse_deliveries WHERE uid = UID", "bodies without a delivery"},
		{"a dedup key is missing", "DELETE FROM hookhouse_dedup_keys WHERE dedup_key = 'one'", "has 1 dedup keys, want 2"},
		{"dedup keys point nowhere", "UPDATE hookhouse_dedup_keys SET uid = 'nobody'", "dedup keys of nothing"},
		{"one is behind nobody", "UPDATE hookhouse_deliveries SET state = 'blocked' WHERE uid = UID", "deliveries behind nobody"},
		{"one is done and has no end", "UPDATE hookhouse_deliveries SET state = 'done' WHERE uid = UID", "finished without an end"},
		{"one is stored twice", `INSERT INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
			SELECT 'uid0009', source, sender_id, type, '', key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, 'waiting', burst_started_at, due_at FROM hookhouse_deliveries WHERE uid = UID`, "is there and was never sent"},
		{"one is not worked off", "", "are not done"},
		{"nothing", "UPDATE hookhouse_deliveries SET state = 'done', finished_at = due_at", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := newRig(t, sqlite)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			if err := r.inbox.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			m := &message{name: "one", key: "key", marks: []string{"one", "two"}}
			r.send(m)
			for _, text := range strings.Split(strings.ReplaceAll(c.damage, "UID", "'"+m.known[0]+"'"), ";") {
				if _, err := r.eye.Exec(text); err != nil && text != "" {
					t.Fatal(err)
				}
			}
			r.inspect("now")
			r.settleAccounts(false)
			if got := strings.Join(r.wrong, "\n"); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("complaints are %q, want %q among them", got, c.want)
			}
		})
	}
}

func TestACallThatFailsForGoodIsSeen(t *testing.T) {
	r, err := newRig(t, sqlite)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	_ = r.insist("wait", func(ctx context.Context) error { return webhook.ErrNotStored }, webhook.ErrDuplicate)
	if len(r.wrong) != 1 || !strings.Contains(r.wrong[0], "fails for good") {
		t.Errorf("complaints are %q", r.wrong)
	}
}

package fault_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// lockStore locks what a put needs: on SQLite the database, on PostgreSQL the head of
// the key.
func lockStore(t *testing.T, r *rig, e engine.Engine) (release func()) {
	t.Helper()
	conn, err := r.direct.Conn(t.Context())
	must(t, err)
	texts := []string{"BEGIN IMMEDIATE"}
	if e.Dialect == sqlinbox.PostgreSQL {
		texts = []string{"BEGIN", "SELECT 1 FROM hookhouse_deliveries WHERE ordering_key = 'key' FOR UPDATE"}
	}
	for _, text := range texts {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	}
}

// lockRig returns a rig with one delivery of the key "key".
func lockRig(t *testing.T, e engine.Engine) *rig {
	t.Helper()
	r := openRig(t, e.NewStore(t))
	r.send(&message{name: "head", key: "key", dedupKeys: []string{"head"}})
	return r
}

func TestALockedDatabaseIsAnswered503AndLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		t.Parallel() // it takes as long as the inbox waits
		r := lockRig(t, e)
		release := lockStore(t, r, e)
		m := &message{name: "late", key: "key", dedupKeys: []string{"late"}}
		d := r.newDelivery(m)
		err := r.try("put", func(ctx context.Context) error { return webhook.Store(r.inbox).Handle(ctx, d) })
		if webhook.StatusCode(err) != http.StatusServiceUnavailable || r.plan.Count() == 0 {
			t.Errorf("answered %d: %v", webhook.StatusCode(err), err)
		}
		t.Log(err)
		if n := r.count("hookhouse_deliveries"); n != 1 {
			t.Errorf("%d are stored, want 1", n)
		}
		release()
		r.send(m)
		r.drain()
		r.checkTables("afterwards")
		r.checkMessages(false)
		r.report(t)
	})
}

func TestPutWaitsForADatabaseThatIsLockedBriefly(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		r := lockRig(t, e)
		release := lockStore(t, r, e)
		r.plan.Break(0, 0) // count from here
		done := make(chan struct{})
		m := &message{name: "waiting", key: "key", dedupKeys: []string{"waiting"}}
		d := r.newDelivery(m)
		go func() {
			defer close(done)
			err := r.try("put", func(ctx context.Context) error { return r.inbox.Put(ctx, d) })
			if err != nil {
				t.Errorf("Put returned %v", err)
			}
			r.acknowledge(m, d.UID, nil)
		}()
		must(t, wait.Until(t.Context(), "the put reaches the lock", func() bool { return r.plan.Count() > 0 }))
		select {
		case <-done:
			t.Error("Put returned while another has the lock")
		default:
		}
		release()
		<-done
		r.drain()
		r.checkMessages(false)
		r.report(t)
	})
}

package fault_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// holder has what a put needs. On SQLite that is the only writer's place, on
// PostgreSQL the head of the put's key.
func holder(t *testing.T, r *rig, e engine) (release func()) {
	t.Helper()
	conn, err := r.eye.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"BEGIN IMMEDIATE"}
	if e.dialect == sqlinbox.PostgreSQL {
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

func lockRig(t *testing.T, e engine) *rig {
	t.Helper()
	r, err := newRig(t, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.inbox.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.send(&message{name: "head", key: "key", marks: []string{"head"}})
	return r
}

func TestADatabaseLockedForLongIsAnsweredAndLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		t.Parallel() // it takes as long as the inbox waits
		r := lockRig(t, e)
		release := holder(t, r, e)
		m := &message{name: "late", key: "key", marks: []string{"late"}}
		d := r.mint(m)
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
		r.workOff()
		r.inspect("afterwards")
		r.settleAccounts(false)
		if len(r.wrong) > 0 {
			t.Error(strings.Join(r.wrong, "\n"))
		}
	})
}

func TestADatabaseLockedForAMomentIsWaitedFor(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r := lockRig(t, e)
		release := holder(t, r, e)
		r.plan.Break(0, 0) // count from here
		done := make(chan struct{})
		m := &message{name: "patient", key: "key", marks: []string{"patient"}}
		d := r.mint(m)
		go func() {
			defer close(done)
			err := r.try("put", func(ctx context.Context) error { return r.inbox.Put(ctx, d) })
			if err != nil {
				t.Errorf("Put returned %v", err)
			}
			r.acknowledge(m, d.UID, nil)
		}()
		poll(t, "the put reaches the lock", func() bool { return r.plan.Count() > 0 })
		select {
		case <-done:
			t.Error("Put returned while another holds the lock")
		default:
		}
		release()
		<-done
		r.workOff()
		r.settleAccounts(false)
		if len(r.wrong) > 0 {
			t.Error(strings.Join(r.wrong, "\n"))
		}
	})
}

func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for in vain: %s", what)
		}
	}
}

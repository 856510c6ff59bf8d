package fault_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/powerloss"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// There is no test of PostgreSQL on a full disk: that takes a file system of its own,
// and so root. Its errors, class 53, are like the errors that the scenario has at
// each statement.
func TestAFullDiskLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(t *testing.T) (r *rig, room func(t *testing.T))
	}{
		{"the disk has no room", onFullDisk},
		{"the database may not grow", onSmallDatabase},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, room := c.open(t)
			first := &message{name: "first", dedupKeys: []string{"first"}}
			r.send(first)
			accepted, refused := r.fill(t)
			if len(accepted) == 0 || len(refused) == 0 {
				t.Fatalf("%d accepted, %d refused, want some of both", len(accepted), len(refused))
			}
			r.checkTables("while it is full")
			if n, want := r.count("hookhouse_deliveries"), 1+len(accepted); n != want {
				t.Errorf("%d are stored, want the %d that were acknowledged", n, want)
			}
			room(t)
			for _, m := range refused {
				r.send(m) // the sender's next try
			}
			r.drain()
			r.checkTables("with room")
			r.checkMessages(false)
			r.report(t)
		})
	}
}

// fill sends to the inbox, eight at once, until most are refused.
func (r *rig) fill(t *testing.T) (accepted, refused []*message) {
	var mu sync.Mutex
	for round := 0; len(refused) < 10 && round < 50; round++ {
		var all sync.WaitGroup
		for i := range 8 {
			m := &message{name: fmt.Sprintf("%d-%d %s", round, i, strings.Repeat("x", 6000)), key: fmt.Sprint("key", i%3), dedupKeys: []string{fmt.Sprint(round, "-", i)}}
			d := r.newDelivery(m)
			all.Go(func() {
				err := webhook.Store(r.inbox).Handle(t.Context(), d)
				mu.Lock()
				defer mu.Unlock()
				switch status := webhook.StatusCode(err); status {
				case 202:
					accepted = append(accepted, m)
					m.acknowledged = append(m.acknowledged, d.UID)
				case 503:
					refused = append(refused, m)
				default:
					t.Errorf("answered %d: %v", status, err)
				}
			})
		}
		all.Wait()
	}
	return accepted, refused
}

// onFullDisk opens a rig on a disk of a megabyte. room enlarges the disk.
func onFullDisk(t *testing.T) (*rig, func(t *testing.T)) {
	disk, err := powerloss.NewDisk(nil)
	must(t, err)
	t.Cleanup(func() { _ = disk.Close() })
	settings := []string{"_pragma=busy_timeout(5000)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate"}
	r := openRig(t, engine.Store{Driver: "sqlite3", DSN: disk.DSN("inbox.db", settings...)})
	disk.Room.Store(1 << 20)
	return r, func(*testing.T) { disk.Room.Store(0) }
}

// onSmallDatabase opens a rig on a file of a hundred pages. room sweeps it.
func onSmallDatabase(t *testing.T) (*rig, func(t *testing.T)) {
	r := openRig(t, engine.Modernc.NewStore(t).With("_pragma=max_page_count(100)"))
	return r, func(t *testing.T) {
		r.drain() // settling takes no space
		for _, uid := range r.uids("1 = 1") {
			r.swept[uid] = true
		}
		if _, err := r.inbox.Sweep(t.Context()); err != nil {
			t.Errorf("Sweep on a full database: %v", err)
		}
	}
}

func TestAReadOnlyDatabaseCanBeRead(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		store := e.NewStore(t)
		r := openRig(t, store)
		kept := &message{name: "kept", dedupKeys: []string{"kept"}}
		r.send(kept)

		readOnly := store.With("default_transaction_read_only=on")
		if e.Dialect == sqlinbox.SQLite {
			readOnly.DSN = strings.Replace(store.DSN, "_pragma=journal_mode(WAL)", "mode=ro", 1)
		}
		in := sqlinbox.New(readOnly.DB(t), e.Dialect)
		defer in.Close()
		d := r.newDelivery(&message{name: "refused", dedupKeys: []string{"refused"}})
		if err := webhook.Store(in).Handle(t.Context(), d); webhook.StatusCode(err) != 503 {
			t.Errorf("Put was answered %d: %v", webhook.StatusCode(err), err)
		} else {
			t.Log(err)
		}
		if err := in.Ping(t.Context()); err == nil {
			t.Error("Ping succeeds")
		}
		if claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1}); err == nil {
			t.Errorf("Claim returned %d", len(claims))
		}
		if got, err := in.Get(t.Context(), kept.acknowledged[0]); err != nil || string(got.Delivery.Body) != "body of kept" {
			t.Errorf("Get returned %v, %v", got, err)
		}
		if n := r.count("hookhouse_deliveries"); n != 1 {
			t.Errorf("%d are stored, want 1", n)
		}
		r.checkTables("read-only")
		r.drain()
		r.report(t)
	})
}

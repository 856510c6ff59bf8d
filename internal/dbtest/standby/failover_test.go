package standby

import (
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

const (
	receivers = 3
	workers   = 2
	clients   = 16
)

// A cluster is the processes on a pair of servers.
type cluster struct {
	*pair
	dsn       string
	receivers [receivers]*process.Process
	workers   [workers]*process.Process
	senders   *senders
}

func TestAcknowledgedIsKeptWhenTheStandbyIsPromoted(t *testing.T) {
	c := startCluster(t)
	c.await(t, "deliveries are acknowledged and handled", 100, 50)
	c.receivers[0].Kill()
	c.workers[0].Kill()
	c.startReceiver(t, 0)
	c.startWorker(t, 0)
	c.await(t, "the others and the new ones go on", 100, 100)

	must(t, c.primary.Kill())
	_, _, before := c.senders.counts()
	must(t, wait.Until(t.Context(), "senders are refused", func() bool {
		_, _, refused := c.senders.counts()
		return refused > before
	}))
	must(t, c.second.Promote(t.Context()))
	newStandby(t, c.second, "third") // until then commits wait
	c.await(t, "the promoted server takes deliveries", 200, 200)

	c.senders.end()
	must(t, wait.Until(t.Context(), "everything is handled", func() bool { return c.senders.unhandled() == 0 }))
	for _, p := range append(c.receivers[:], c.workers[:]...) {
		wantNil(t, p.Stop(t.Context()))
	}
	c.check(t)
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{pair: newPair(t)}
	c.dsn = postgres.HostsDSN([]*postgres.Server{c.primary, c.second}, "connect_timeout=5")
	in, _ := open(t, c.primary)
	must(t, in.Migrate(t.Context()))
	c.senders = newSenders(receivers)
	for i := range receivers {
		c.startReceiver(t, i)
	}
	for i := range workers {
		c.startWorker(t, i)
	}
	c.senders.start(t.Context(), clients)
	t.Cleanup(func() {
		if t.Failed() {
			for _, p := range append(c.receivers[:], c.workers[:]...) {
				t.Log(p.Log())
			}
		}
	})
	return c
}

func (c *cluster) startReceiver(t *testing.T, i int) {
	t.Helper()
	c.receivers[i] = startChild(t, child{DSN: c.dsn}, nil)
	c.senders.move(i, c.receivers[i].Address)
}

func (c *cluster) startWorker(t *testing.T, i int) {
	t.Helper()
	c.workers[i] = startChild(t, child{DSN: c.dsn, Works: true}, c.senders.read)
}

// startChild starts a process, which the end of the test kills.
func startChild(t *testing.T, c child, printed func(string)) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), c, printed)
	must(t, err)
	t.Cleanup(p.Kill)
	return p
}

// await returns when that number of further deliveries are acknowledged, and handled.
func (c *cluster) await(t *testing.T, what string, acknowledged, handled int) {
	t.Helper()
	a, h, _ := c.senders.counts()
	err := wait.Until(t.Context(), what, func() bool {
		nowA, nowH, _ := c.senders.counts()
		return nowA >= a+acknowledged && nowH >= h+handled
	})
	must(t, err)
}

// check fails if a promise was broken.
func (c *cluster) check(t *testing.T) {
	t.Helper()
	s := c.senders
	book := account(s.events)
	if lost := book.Lost(); len(lost) > 0 {
		t.Errorf("%d acknowledged deliveries were never handled: %s", len(lost), ledger.First(lost, " "))
	}
	if faults := append(s.faults, book.Faults...); len(faults) > 0 {
		t.Errorf("%d faults: %s", len(faults), ledger.First(faults, "; "))
	}
	stored := storedIDs(t, c.second)
	var missing []string
	for e := range book.Entries() {
		if e.Acknowledged() && !stored[e.ID] {
			missing = append(missing, e.ID)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d acknowledged deliveries are not on the promoted server: %s", len(missing), ledger.First(missing, " "))
	}
	t.Logf("%d acknowledged; %d calls were refused; for %v no sender was acknowledged", s.acknowledged, s.refused, s.gap)
}

// storedIDs are the ids that a server has, as the senders gave them.
func storedIDs(t *testing.T, s *postgres.Server) map[string]bool {
	t.Helper()
	db := engine.Store{Driver: "pgx", DSN: s.DSN()}.DB(t)
	rows, err := db.QueryContext(t.Context(), "SELECT sender_id FROM hookhouse_deliveries")
	must(t, err)
	defer rows.Close()
	ids := make(map[string]bool)
	for rows.Next() {
		var id string
		must(t, rows.Scan(&id))
		ids[id] = true
	}
	must(t, rows.Err())
	return ids
}

package edgetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// A chain is the processes of a trial, with a queue and a schema of its own.
type chain struct {
	t       *testing.T
	queue   string
	store   engine.Store
	account *account
	journal *journal
	read    func() error // the rest of the journal
	members map[string]*running
	names   map[string][]string // by role
}

// running is a member that has been started.
type running struct {
	member
	process *process.Process
}

var queues atomic.Int64

// newChain starts a number of edges, relays and workers. It returns nil if a server is not
// installed, which TestMain has printed.
func newChain(t *testing.T, edges, relays, workers int) *chain {
	t.Helper()
	if cluster == nil {
		return nil
	}
	c := &chain{
		t: t, queue: fmt.Sprint("hooks", queues.Add(1)), store: engine.PostgreSQL(t).NewStore(t), account: newAccount(),
		members: make(map[string]*running), names: make(map[string][]string),
	}
	file := filepath.Join(t.TempDir(), "journal")
	var err error
	if c.journal, err = openJournal(file); err != nil {
		t.Fatal(err)
	}
	c.read = c.journal.follow(c.account.read)
	t.Cleanup(c.killAll)
	if err := declare(t.Context(), cluster, c.queue); err != nil {
		t.Fatal(err)
	}
	c.store.Inbox(t) // makes the tables
	for role, n := range map[string]int{edge: edges, relay: relays, worker: workers} {
		for i := range n {
			name := fmt.Sprint(role, i+1)
			c.names[role] = append(c.names[role], name)
			c.members[name] = &running{member: member{
				Role: role, Name: name, Journal: file, Brokers: urls(cluster), Queue: c.queue, Store: c.store, Address: "127.0.0.1:0",
				Local: engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(t.TempDir(), name+".db")) + "&_txlock=immediate"},
			}}
		}
	}
	return c
}

// start starts all members.
func (c *chain) start() {
	c.t.Helper()
	for name := range c.members {
		if err := c.launch(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
	}
}

// launch starts a member. An edge listens on the same address each time.
func (c *chain) launch(ctx context.Context, name string) (err error) {
	m := c.members[name]
	if m.process, err = process.Start(ctx, m.member, nil); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if m.Role == edge {
		m.Address = m.process.Address
	}
	return nil
}

// kill kills a member.
func (c *chain) kill(name string) {
	m := c.members[name]
	m.process.Kill()
	m.process = nil
	c.journal.write(killed, name)
}

// killServer kills PostgreSQL.
func (c *chain) killServer() error {
	err := engine.Server.Kill()
	c.journal.write(outage)
	return err
}

// killAll ends what the test has left.
func (c *chain) killAll() {
	for _, m := range c.members {
		if m.process != nil {
			m.process.Kill()
		}
	}
	_ = c.read() // an error was reported
}

// addresses returns those of the edges.
func (c *chain) addresses() (all []string) {
	for _, name := range c.names[edge] {
		all = append(all, c.members[name].Address)
	}
	return all
}

// await waits until n more deliveries are acknowledged than there were before.
func (c *chain) await(ctx context.Context, before totals, n int) error {
	return wait.Until(ctx, fmt.Sprintf("%d more deliveries are acknowledged", n), func() bool {
		return c.account.now().acknowledged >= before.acknowledged+n
	})
}

// finish waits until all that was acknowledged is handled and the queue is empty, stops the members in order and fails
// the test if a promise was broken. The senders have ended.
func (c *chain) finish() {
	c.t.Helper()
	late := c.drain()
	if late == nil { // what was stored and not acknowledged comes again
		late = wait.Until(c.t.Context(), "the queue is empty", c.holdsNothing)
	}
	err := errors.Join(c.stop(), c.account.err())
	fmt.Fprintln(c.t.Output(), c.account.now())
	if err != nil {
		c.t.Fatal(err)
	}
	if late != nil {
		c.t.Fatal(late)
	}
	c.wantEmpty(rabbitmq.DeadQueue(c.queue))
}

// drain waits until all that was acknowledged is handled, as long as something is.
func (c *chain) drain() error {
	for {
		before := c.account.now()
		if before.unhandled == 0 {
			return nil
		}
		if err := wait.Until(c.t.Context(), "more is handled", func() bool { return c.account.now().handled > before.handled }); err != nil {
			return err
		}
	}
}

// stop lets all members end by themselves and reads the rest of the journal.
func (c *chain) stop() error {
	var errs []error
	for _, role := range []string{edge, relay, worker} {
		for _, name := range c.names[role] {
			m := c.members[name]
			if err := m.process.Stop(context.Background()); err != nil {
				errs = append(errs, fmt.Errorf("%s: %.2000w", name, err))
			}
			m.process = nil
		}
	}
	return errors.Join(append(errs, c.read())...)
}

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// secret is the secret of each sender.
const secret = "s3cret,0123456789"

// A chain is a queue and a database of one test, with the processes that use them.
type chain struct {
	t     *testing.T
	dir   string // of the edge
	queue string
	env   []string
	// database is between the processes and PostgreSQL.
	database *proxy

	mu      sync.Mutex
	edge    *process
	handled []line
}

var chains atomic.Int64

// newChain returns a chain without processes.
func newChain(t *testing.T) *chain {
	t.Helper()
	name := fmt.Sprint("hooks", chains.Add(1))
	conn, err := pgx.Connect(t.Context(), postgresURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	c := &chain{t: t, dir: t.TempDir(), queue: name, database: newProxy(t, conn.Config().Port)}
	c.env = []string{
		brokerName + "=" + rabbit.url("guest", "/"),
		databaseName + "=postgres://hookhouse@" + c.database.addr() + "/" + name,
	}
	for _, one := range allSenders() {
		c.env = append(c.env, one.name+"="+secret)
	}
	if out, err := execute(t, c.env, "-declare", "-queue", name, "-partitions", "2"); err != nil || strings.Count(out, "the queue is there") != 2 {
		t.Fatalf("-declare: %v\n%s", err, out)
	}
	return c
}

// start starts a process of the chain.
func (c *chain) start(args ...string) *process {
	c.t.Helper()
	p := start(c.t, c.dir, c.env, c.note, append(args, "-queue", c.queue, "-partitions", "2", "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0")...)
	if slices.Contains(args, "-edge") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.edge = p
	}
	return p
}

// note keeps a line that a worker has printed. A killed one may have printed half of it.
func (c *chain) note(text string) {
	var l line
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled = append(c.handled, l)
}

// count returns how often each delivery was handled, by its id.
func (c *chain) count() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := make(map[string]int)
	for _, l := range c.handled {
		n[l.ID]++
	}
	return n
}

// url returns the URL of a path of the edge, which may have been started again.
func (c *chain) url(path string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.edge.url + path
}

// branches is the number of ordering keys of the pushes that send makes.
const branches = 4

// send sends n pushes to each of some branches, one after the other, each until it is accepted,
// and returns their ids. refused gets whether a push was not accepted at once.
func (c *chain) send(n int, refused func(webhooktest.Result)) [branches][]string {
	var ids [branches][]string
	var senders sync.WaitGroup
	for b := range branches {
		senders.Go(func() {
			github := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}
			body := fmt.Appendf(nil, `{"ref":"refs/heads/%d","after":"9f3c1d7","repository":{"full_name":"acme/app"}}`, b)
			for range n {
				result := github.Deliver(c.t.Context(), c.url("/hooks/github"), "push", body)
				for !result.Delivered && c.t.Context().Err() == nil {
					refused(result)
					result = github.Redeliver(c.t.Context(), result.GUID, c.url("/hooks/github"), "push", body)
				}
				ids[b] = append(ids[b], result.GUID)
			}
		})
	}
	senders.Wait()
	return ids
}

// requireHandled waits until all deliveries are handled, and requires that those of each
// branch were handled in their order and, if once is true, none of them twice.
func (c *chain) requireHandled(ids [branches][]string, once bool) {
	c.t.Helper()
	all := slices.Concat(ids[:]...)
	eventually(c.t, fmt.Sprintf("every one of %d deliveries", len(all)), func() bool {
		n := c.count()
		return !slices.ContainsFunc(all, func(id string) bool { return n[id] == 0 })
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := make(map[string]int)
	var order [branches][]string
	for _, l := range c.handled {
		if seen[l.ID]++; seen[l.ID] > 1 {
			if once {
				c.t.Errorf("%s was handled %d times", l.ID, seen[l.ID])
			}
			continue
		}
		for b := range ids {
			if slices.Contains(ids[b], l.ID) {
				order[b] = append(order[b], l.ID)
			}
		}
	}
	for b := range ids {
		if !slices.Equal(order[b], ids[b]) {
			c.t.Errorf("branch %d was handled in the order\n%q, want\n%q", b, order[b], ids[b])
		}
	}
}

// mustAccept is for a chain whose edge accepts each call at once.
func (c *chain) mustAccept(r webhooktest.Result) { c.t.Errorf("a sender was refused: %+v", r) }

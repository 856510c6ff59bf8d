package edgetest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The roles of processes.
const (
	edge   = "edge"
	relay  = "relay"
	worker = "worker"
	disk   = "disk"
)

// A member is the configuration of one process of the chain.
type member struct {
	Role, Name string
	Journal    string   // file
	Brokers    []string // URLs of the nodes
	Queue      string
	Local      engine.Store // of an edge
	Store      engine.Store // PostgreSQL
	Address    string       // of an edge
	Folder     string       // of a disk
	// AcksFirst is a mistake: the relay acknowledges a delivery before it is stored.
	AcksFirst bool

	journal *journal
}

// run is the life of the process.
func (m member) run(ctx context.Context) (err error) {
	if m.journal, err = openJournal(m.Journal); err != nil {
		return err
	}
	switch m.Role {
	case edge:
		return m.runEdge(ctx)
	case relay:
		return m.runRelay(ctx)
	case worker:
		return m.runWorker(ctx)
	case disk:
		return m.runDisk(ctx)
	default:
		return fmt.Errorf("no such role: %q", m.Role)
	}
}

// write writes a line of the journal.
func (m member) write(verb string, words ...string) {
	m.journal.write(append([]string{verb, m.Name}, words...)...)
}

// open opens an inbox with a number of connections. Its tables exist.
func open(s engine.Store, connections int) (*sqlinbox.Inbox, *sql.DB, error) {
	db, err := s.Open()
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return sqlinbox.New(db, s.Dialect()), db, nil
}

// dialAny returns a dial func to whichever node answers.
func dialAny(urls []string) func(ctx context.Context) (*amqp.Connection, error) {
	return func(ctx context.Context) (conn *amqp.Connection, err error) {
		for _, i := range rand.Perm(len(urls)) {
			if conn, err = dial(ctx, urls[i], nil); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
}

// dial connects to a node within 8 s: a frozen one does not answer. If made is not nil, it gets
// the network connection.
func dial(ctx context.Context, url string, made func(conn net.Conn)) (*amqp.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	return amqp.DialConfig(url, amqp.Config{Heartbeat: 5 * time.Second, Dial: func(network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if made != nil {
			made(conn)
		}
		deadline, _ := ctx.Deadline()
		return conn, conn.SetDeadline(deadline) // the library ends it after the handshake
	}})
}

// serveMember is for the beginning of TestMain.
func serveMember() {
	process.Main(func(ctx context.Context, m member) error { return m.run(ctx) })
}

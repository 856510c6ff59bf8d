package delay

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A Proxy stands before a server and delays what goes to it and comes from it.
// Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	server   string
	trip     time.Duration

	mu     sync.Mutex
	open   map[net.Conn]struct{} // nil once closed
	served sync.WaitGroup
}

// Start returns a Proxy on a free port of the loopback address, before the
// server at that address, a "host:port". An answer takes at least one round trip
// of that length, and so does it to open a connection, as TCP's handshake does. A
// round trip of zero adds nothing but the proxy itself. The caller calls Close.
func Start(server string, roundTrip time.Duration) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, server: server, trip: roundTrip, open: make(map[net.Conn]struct{})}
	p.served.Go(p.serve)
	return p, nil
}

// Addr is where to connect instead of to the server, as "host:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close breaks all connections and returns when nothing of the Proxy runs any
// more. To call it again does nothing.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.open = nil
	p.mu.Unlock()
	p.served.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.served.Go(func() { p.join(client) })
	}
}

// join connects a client with the server until both have said all.
func (p *Proxy) join(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	ready := time.Now().Add(p.trip)
	server, err := net.Dial("tcp", p.server)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	var both sync.WaitGroup
	both.Go(func() { relay(server, client, p.trip/2, ready) })
	both.Go(func() { relay(client, server, p.trip/2, ready) })
	both.Wait()
}

// keep notes a connection that Close is to break. Where that has been called, it
// closes the connection and returns false.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		_ = conn.Close()
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

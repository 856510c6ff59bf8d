package delay

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A Proxy relays connections to a server and delays all bytes. Its methods are safe
// for concurrent use.
type Proxy struct {
	listener  net.Listener
	server    string
	roundTrip time.Duration

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // nil once closed
	served sync.WaitGroup
}

// Start returns a Proxy for the server at a "host:port", on a free port of the
// loopback address. An answer takes at least roundTrip, and so does opening a
// connection, as the handshake of TCP does. A zero roundTrip adds no delay. The caller
// must call Close.
func Start(server string, roundTrip time.Duration) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, server: server, roundTrip: roundTrip, conns: make(map[net.Conn]struct{})}
	p.served.Go(p.serve)
	return p, nil
}

// Addr returns the "host:port" to connect to instead of the server.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close closes all connections and returns when all goroutines of the Proxy have
// ended. Further calls do nothing.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
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

// join connects a client with the server until both sides are closed.
func (p *Proxy) join(client net.Conn) {
	if !p.add(client) {
		return
	}
	defer p.remove(client)
	ready := time.Now().Add(p.roundTrip)
	server, err := net.Dial("tcp", p.server)
	if err != nil || !p.add(server) {
		return
	}
	defer p.remove(server)
	var both sync.WaitGroup
	both.Go(func() { relay(server, client, p.roundTrip/2, ready) })
	both.Go(func() { relay(client, server, p.roundTrip/2, ready) })
	both.Wait()
}

// add registers a connection for Close. If Close was called, add closes the connection
// and returns false.
func (p *Proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) remove(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	_ = conn.Close()
}

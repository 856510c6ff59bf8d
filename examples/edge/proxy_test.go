package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy is between the processes and a server of this machine. While the server is away, it
// ends each connection.
type proxy struct {
	listener net.Listener
	port     uint16 // of the server

	mu   sync.Mutex
	away bool
	open map[net.Conn]bool
}

// newProxy returns a proxy that ends with the test.
func newProxy(t *testing.T, port uint16) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, port: port, open: make(map[net.Conn]bool)}
	go p.accept()
	t.Cleanup(func() {
		_ = l.Close()
		p.setAway(true)
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// setAway ends all connections, and further ones until it is called with false.
func (p *proxy) setAway(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
	for conn := range p.open {
		_ = conn.Close()
	}
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // the test has ended
		}
		go p.serve(client)
	}
}

// serve passes bytes both ways until one side ends.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.port))
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.away {
		p.mu.Unlock()
		return
	}
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, client)
	delete(p.open, server)
}

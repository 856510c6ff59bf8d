// Package dnstest is a name server for tests.
package dnstest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// A Names is a name server. It answers with the next addresses of a name, and with the last
// ones from then on. The zero value knows no name.
type Names struct {
	// Answers are, for each name in lower case, the addresses of its answers in turn. Set it
	// before use.
	Answers map[string][][]string

	mu sync.Mutex
}

// Resolver returns a resolver that asks only n.
func (n *Names) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve answers the queries of a connection, each behind its length as over TCP.
func (n *Names) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := n.answer(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

const typeA, typeAAAA = 1, 28

// answer returns the answer to a query with one question (RFC 1035).
func (n *Names) answer(query []byte) []byte {
	var labels []string
	end := 12
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	end += 5 // the zero, the type and the class
	kind := binary.BigEndian.Uint16(query[end-4:])
	addrs, known := n.next(strings.ToLower(strings.Join(labels, ".")), kind)
	flags := uint16(0x8180)
	if !known {
		flags |= 3 // no such name
	}
	m := append([]byte{query[0], query[1]}, byte(flags>>8), byte(flags), 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0)
	m = append(m, query[12:end]...)
	for _, a := range addrs {
		m = append(m, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(a.AsSlice())))
		m = append(m, a.AsSlice()...)
	}
	return m
}

// next returns the addresses of a kind. A query of type A takes the next answer.
func (n *Names) next(name string, kind uint16) (addrs []netip.Addr, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list, known := n.Answers[name]
	if len(list) == 0 {
		return nil, known
	}
	for _, text := range list[0] {
		if a := netip.MustParseAddr(text); a.Is4() == (kind == typeA) && (kind == typeA || kind == typeAAAA) {
			addrs = append(addrs, a)
		}
	}
	if kind == typeA && len(list) > 1 {
		n.Answers[name] = list[1:]
	}
	return addrs, true
}

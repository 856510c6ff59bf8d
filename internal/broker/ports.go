package broker

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports of the servers are below those that Linux gives to clients, which begin at
// 32768: a client that dials such a port while its server is down could connect to itself, and
// the server could then not start.
const (
	firstPort = 11000
	lastPort  = 31999
)

// freePort returns a port of the loopback address that nothing listens on.
func freePort() (int, error) {
	var last error
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port: %w", last)
}

// freePorts returns n different free ports.
func freePorts(n int) ([]int, error) {
	taken := make(map[int]bool)
	var ports []int
	for len(ports) < n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		if !taken[port] {
			taken[port] = true
			ports = append(ports, port)
		}
	}
	return ports, nil
}

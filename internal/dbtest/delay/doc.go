// Package delay simulates a TCP server that is far away: a proxy on the loopback
// address that delays all bytes by half of a round trip in each direction.
//
// It keeps the order and allows pipelining: bytes that are sent while earlier ones
// are in flight arrive as much later as they were sent later. It does not limit the
// rate, loses nothing and adds no jitter.
package delay

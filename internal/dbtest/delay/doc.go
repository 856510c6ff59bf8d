// Package delay puts a TCP server far away: a proxy on the loopback address that
// holds what goes through it for half of a round trip in each direction.
//
// It keeps the order, and it keeps pipelining: what is sent while earlier bytes
// are still on their way arrives as much later as it was sent later. It bounds no
// rate, loses nothing and adds no jitter.
package delay

package delay

import (
	"bytes"
	"net"
	"time"
)

const (
	// chunkSize is the maximum size of one read.
	chunkSize = 32 << 10
	// maxInFlight is how many chunks may be in flight in one direction. Then the
	// sender has to wait, as it does when the window of TCP is full.
	maxInFlight = 1024
)

// A chunk is the result of one read, and the time at which to write it.
type chunk struct {
	bytes []byte
	due   time.Time
}

// relay copies bytes from one side to the other with a delay. Bytes that arrive before
// ready count as sent then. At the end of from, relay closes the writing side of to.
// If to cannot be written, relay closes from.
func relay(to, from net.Conn, delay time.Duration, ready time.Time) {
	way := make(chan chunk, maxInFlight)
	go func() {
		defer close(way)
		read := make([]byte, chunkSize)
		for {
			n, err := from.Read(read)
			way <- chunk{bytes.Clone(read[:n]), latest(time.Now(), ready).Add(delay)}
			if err != nil {
				return
			}
		}
	}()
	for c := range way {
		time.Sleep(time.Until(c.due))
		if len(c.bytes) == 0 {
			continue // the end, which is as late as the rest
		}
		if _, err := to.Write(c.bytes); err != nil {
			_ = from.Close()
			for range way { // until the reader has seen it
			}
			return
		}
	}
	closeWrite(to)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// endWrites leaves the other direction open where the connection can do so.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}

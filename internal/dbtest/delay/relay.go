package delay

import (
	"bytes"
	"net"
	"time"
)

const (
	// chunkSize is the most that is read at once.
	chunkSize = 32 << 10
	// chunksUnderWay is how many chunks may be on their way in one direction.
	// Then the sender has to wait, as it does when TCP's window is full.
	chunksUnderWay = 1024
)

// A chunk is what one read gave, and when the other side is to have it.
type chunk struct {
	bytes []byte
	due   time.Time
}

// relay hands on what comes from one side, each byte so much later, as if it had
// been sent when the connection was ready. At the end it tells the other side
// that no more comes. A side that cannot be written to is no longer read either.
func relay(to, from net.Conn, delay time.Duration, ready time.Time) {
	way := make(chan chunk, chunksUnderWay)
	go func() {
		defer close(way)
		read := make([]byte, chunkSize)
		for {
			n, err := from.Read(read)
			way <- chunk{bytes.Clone(read[:n]), later(time.Now(), ready).Add(delay)}
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
	endWrites(to)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// endWrites leaves the other direction open where the connection can do so.
func endWrites(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}

package inspect

import (
	"bytes"
	"net/http"
	"sync/atomic"
	"time"
)

// A constant is a handler that streams as many bytes to each viewer as the inspector did, and as
// often, and does nothing else: what viewers cost by themselves, and by the process that they
// are in, where that has the same processors.
type constant struct {
	bytes, every atomic.Int64
}

// set makes it stream what viewers have read: the updates of one of them, their bytes in
// all, and how long that took.
func (c *constant) set(updates, bytes int64, d time.Duration) {
	c.bytes.Store(bytes / max(updates, 1))
	c.every.Store(int64(d) / max(updates, 1))
}

// stuckAfter is how long a viewer may take to read an update.
const stuckAfter = 5 * time.Second

func (c *constant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := append(append([]byte("data: "), bytes.Repeat([]byte("x"), int(c.bytes.Load()))...), "\n\n"...)
	w.Header().Set("Content-Type", "text/event-stream")
	to := http.NewResponseController(w)
	tick := time.NewTicker(time.Duration(max(c.every.Load(), int64(time.Millisecond))))
	defer tick.Stop()
	for {
		_ = to.SetWriteDeadline(time.Now().Add(stuckAfter)) // without it a viewer that does not read holds this
		if _, err := w.Write(text); err != nil || to.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

package publish

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strconv"
	"sync"
	"time"
)

const (
	// endpointAge is how old a cached endpoint may be. Deletes, new URLs and new secrets
	// apply within a second in every process; what is sent takes a part of it.
	endpointAge = 500 * time.Millisecond
	// cachedEndpoints is the size of the endpoints that a cache has. One has some hundred
	// bytes as a rule, but with a long header, Meta and many patterns it can have megabytes.
	cachedEndpoints = 8 << 20
	// endpointSize is that of an endpoint without its texts.
	endpointSize = 1 << 10
)

// A fingerprint tells apart the configurations of an endpoint that may behave differently.
type fingerprint [sha256.Size]byte

// fingerprintOf covers how requests are sent and signed, and the time at which the endpoint
// was resumed: so every process gets to know that. It is not printed or stored.
func fingerprintOf(e *Endpoint) (f fingerprint) {
	h := sha256.New()
	text := func(s string) {
		_ = binary.Write(h, binary.BigEndian, int64(len(s)))
		_, _ = io.WriteString(h, s)
	}
	text(e.URL)
	text(e.Scheme)
	for _, s := range e.Secrets {
		text(string(s.Reveal()))
	}
	text(strconv.FormatInt(e.Since.UnixMicro(), 10))
	text(strconv.FormatFloat(e.Rate, 'g', -1, 64))
	h.Sum(f[:0])
	return f
}

// A known endpoint is one that was read a short while ago. It must not be changed.
type known struct {
	*Endpoint
	config fingerprint
	read   time.Time // when the reading began
	size   int64     // about how many bytes it takes
}

// stale reports whether the endpoint must be read again before a request.
func (k *known) stale() bool { return time.Since(k.read) >= endpointAge }

// sizeOf returns about how many bytes an endpoint takes.
func sizeOf(e *Endpoint) int64 {
	size := endpointSize + len(e.ID) + len(e.Owner) + len(e.Name) + len(e.Description) + len(e.URL) + len(e.Scheme) + len(e.Reason) +
		len(e.Last.Reason) + len(e.Last.Response)
	for _, pattern := range e.Events {
		size += textSize + len(pattern)
	}
	for _, s := range e.Secrets {
		size += 4*textSize + len(s.Reveal())
	}
	for name, values := range e.Header {
		size += 4*textSize + len(name)
		for _, value := range values {
			size += textSize + len(value)
		}
	}
	for name, value := range e.Meta {
		size += 4*textSize + len(name) + len(value)
	}
	return int64(size)
}

// textSize is that of a string without its bytes.
const textSize = 16

// An endpointCache reads endpoints from a Store, at most once in endpointAge each as a rule.
// It is safe for concurrent use.
type endpointCache struct {
	store Store

	mu    sync.Mutex
	known map[string]*known
	size  int64 // of all that are known
}

// get returns an endpoint. The error is [ErrNotFound] if there is none.
func (c *endpointCache) get(ctx context.Context, id string) (*known, error) {
	c.mu.Lock()
	k := c.known[id]
	c.mu.Unlock()
	if k != nil && !k.stale() {
		return k, nil
	}
	return c.read(ctx, id)
}

// read returns an endpoint as it is now.
func (c *endpointCache) read(ctx context.Context, id string) (*known, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	k := &known{read: time.Now()}
	e, err := c.store.Get(ctx, id)
	if err != nil {
		c.forget(id)
		return nil, err
	}
	k.Endpoint, k.config, k.size = e, fingerprintOf(e), sizeOf(e)
	c.keep(k)
	return k, nil
}

// keep keeps an endpoint, unless it is too large or a newer one is there.
func (c *endpointCache) keep(k *known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.known[k.ID]; have != nil && !have.read.Before(k.read) {
		return
	}
	c.remove(k.ID)
	if k.size > cachedEndpoints/8 {
		return
	}
	if c.size+k.size > cachedEndpoints {
		c.removeStale(cachedEndpoints - k.size)
	}
	if c.known == nil {
		c.known = make(map[string]*known)
	}
	c.known[k.ID] = k
	c.size += k.size
}

// removeStale removes what would be read again, and all if more than most are left.
func (c *endpointCache) removeStale(most int64) {
	for id, k := range c.known {
		if k.stale() {
			c.remove(id)
		}
	}
	if c.size > most {
		clear(c.known)
		c.size = 0
	}
}

func (c *endpointCache) remove(id string) {
	if k := c.known[id]; k != nil {
		delete(c.known, id)
		c.size -= k.size
	}
}

// forget makes the next get read the endpoint.
func (c *endpointCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

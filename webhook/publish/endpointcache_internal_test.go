package publish

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// large returns an endpoint with about size bytes, in the place that has the number.
func large(id string, place, size int) *Endpoint {
	e := &Endpoint{ID: id, Events: []string{"*"}, URL: "https://example.com/", State: Active, Since: time.Now(), Created: time.Now()}
	text := strings.Repeat("x", size)
	switch place % 3 {
	case 0:
		e.Header = http.Header{"X-Large": {text}}
	case 1:
		e.Meta = map[string]string{"large": text}
	case 2:
		e.Description = text
	}
	return e
}

func TestTheCacheOfEndpointsIsBoundedByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c endpointCache
		held := func() (size int64) {
			for _, k := range c.known {
				size += sizeOf(k.Endpoint)
			}
			return size
		}
		for i := range 300 {
			e := large(fmt.Sprint("large", i), i, 100<<10)
			c.keep(&known{Endpoint: e, read: time.Now(), size: sizeOf(e)})
			if size := held(); size > cachedEndpoints || size != c.size {
				t.Fatalf("after %d endpoints the cache has %d bytes and counts %d, want at most %d", i+1, size, c.size, cachedEndpoints)
			}
		}
		for i := range 3000 { // small ones, read again and again
			e := large(fmt.Sprint("small", i%1000), i, 10)
			c.keep(&known{Endpoint: e, read: time.Now(), size: sizeOf(e)})
			if i%100 == 0 {
				<-time.After(endpointAge / 10)
			}
		}
		if n := len(c.known); n < 1000 {
			t.Errorf("%d endpoints are cached, want all 1000 that are small", n)
		}
		e := large("huge", 0, cachedEndpoints/4)
		c.keep(&known{Endpoint: e, read: time.Now(), size: sizeOf(e)})
		if c.known["huge"] != nil || len(c.known) < 1000 {
			t.Errorf("one endpoint takes the room of %d", 1000)
		}
		for id := range c.known {
			c.forget(id)
		}
		if c.size != 0 {
			t.Errorf("an empty cache counts %d bytes", c.size)
		}
	})
}

func TestTheCacheKeepsTheNewestReadingOfAnEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c endpointCache
		older := time.Now()
		<-time.After(time.Millisecond)
		small, big := large("ep", 0, 10), large("ep", 0, 1000)
		c.keep(&known{Endpoint: big, read: time.Now(), size: sizeOf(big)})
		c.keep(&known{Endpoint: small, read: older, size: sizeOf(small)})
		if c.known["ep"].Endpoint != big || c.size != sizeOf(big) {
			t.Errorf("an older reading has replaced a newer one")
		}
	})
}

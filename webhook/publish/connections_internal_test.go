package publish

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// Endpoints may all have one host, and as many requests as a Publisher has at once.
func TestConnectionsToOneHostAreUsedAgain(t *testing.T) {
	const requests = 40
	var opened atomic.Int64
	var together sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		together.Done()
		together.Wait() // so that each request needs a connection of its own
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	guard := &addrguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, InsecureHTTP: true}
	transport := newTransport(guard, 15*time.Second, requests, false)
	defer transport.CloseIdleConnections()
	const rounds = 5
	for range rounds {
		together.Add(requests)
		var all sync.WaitGroup
		for range requests {
			all.Go(func() {
				resp, err := (&http.Client{Transport: transport}).Get(server.URL)
				if err != nil {
					t.Error(err)
					together.Done()
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			})
		}
		all.Wait()
	}
	// More than the first round needs: the transport may open one while another becomes free.
	if n := opened.Load(); n > 2*requests {
		t.Errorf("%d connections were opened for %d rounds of %d requests", n, rounds, requests)
	}
}

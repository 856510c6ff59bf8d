package publish

import (
	"context"
	"net"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// NewTransport returns a Publisher's own transport, with connections of dial.
func NewTransport(dial func(ctx context.Context, network, address string) (net.Conn, error), insecure bool) *http.Transport {
	t := newTransport(&addrguard.Guard{InsecureHTTP: true}, defaultTimeout, defaultConcurrency, insecure)
	t.DialContext = dial
	return t
}

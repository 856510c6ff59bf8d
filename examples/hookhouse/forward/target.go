package forward

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// ErrRemote means that a target is not on this machine or in its network.
var ErrRemote = errors.New("the target is neither on this machine nor in a private network")

// ErrTarget means that the URL of a target cannot be used.
var ErrTarget = errors.New("the URL of a target")

// A Target is where the deliveries of a sender go.
type Target struct {
	URL    string         // with the token, if the sender sends one in its URL
	Secret webhook.Secret // signs, unless the sender sends it in the URL
	// Lacks is why nothing can be sent, such as the name of a variable that is not set. If it
	// is not empty, the deliveries of the sender are reported as dropped.
	Lacks string
}

// Check refuses a URL that cannot be called. Its error wraps [ErrTarget] or [ErrRemote] and
// does not contain the URL, which may have a token.
func Check(target string, allowRemote bool) error {
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("%w: want an http or https URL with a host, such as http://127.0.0.1:8080/hooks/github", ErrTarget)
	case u.Fragment != "":
		return fmt.Errorf("%w: it has a fragment", ErrTarget)
	}
	// The addresses of a name are judged by each connection.
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && !allowRemote && !isNear(addr) {
		return ErrRemote
	}
	return nil
}

// isNear reports whether an address is of this machine or of a private network. Connecting
// to the unspecified address reaches this machine.
func isNear(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified()
}

// guard judges the address of a connection, after the name was looked up.
func guard(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isNear(to.Addr()) {
		return ErrRemote
	}
	return nil
}

// connectTimeout bounds a connection to a target.
const connectTimeout = 5 * time.Second

// newClient returns the client for targets. It uses no proxy and follows no redirect.
func newClient(allowRemote bool) *http.Client {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: guard}
	if allowRemote {
		dialer.Control = nil
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTimeout, MaxResponseHeaderBytes: maxAnswer,
			DisableCompression: true, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

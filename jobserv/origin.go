package jobserv

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/internal/api"
)

// An origin identifies a server by scheme, host and port.
type origin struct {
	scheme, host, port string
}

func parseOrigin(text string) (origin, error) {
	u, err := url.Parse(text)
	if err != nil {
		return origin{}, errURL
	}
	return originOf(u)
}

var errURL = fmt.Errorf("%w: not an absolute http or https URL without user information", ErrHost)

// base returns the URL of the server with a path. The default port is left out:
// JobServ makes the URLs in its answers from the host that it was called by.
func (o origin) base(path string) string {
	u := url.URL{Scheme: o.scheme, Host: net.JoinHostPort(o.host, o.port), Path: path}
	if o.scheme == "http" && o.port == "80" || o.scheme == "https" && o.port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+o.port)
	}
	return u.String()
}

// originOf returns an error for all but http and https URLs without user
// information: credentials in a body's URL do not come from the program.
func originOf(u *url.URL) (origin, error) {
	if !api.IsAbsolute(u) || u.User != nil {
		return origin{}, errURL
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return origin{u.Scheme, strings.ToLower(u.Hostname()), port}, nil
}

// allow returns u if it belongs to one of the servers, or the URL that takes
// its place if Rehost is set.
func (c *Client) allow(u *url.URL) (*url.URL, error) {
	o, err := originOf(u)
	if err != nil {
		return nil, err
	}
	if c.knows(o) {
		return u, nil
	}
	if !c.Rehost {
		return nil, fmt.Errorf("%w: %q", ErrHost, u.Host)
	}
	moved := *u
	moved.Scheme = c.servers[0].scheme
	moved.Host = net.JoinHostPort(c.servers[0].host, c.servers[0].port)
	return &moved, nil
}

func (c *Client) knows(o origin) bool { return slices.Contains(c.servers, o) }

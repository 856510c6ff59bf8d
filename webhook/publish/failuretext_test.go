package publish_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// What a recorded reason says is for the owner of the endpoint, and is logged.
func TestAReasonShowsNothingOfTheNetworkOfTheProgram(t *testing.T) {
	here, there := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 41000}, &net.TCPAddr{IP: net.IPv4(10, 9, 9, 9), Port: 443}
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: there, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a lookup": {
			&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "a", Server: "10.0.0.53:53", IsNotFound: true}},
			"lookup a: no such host",
		},
		"a lookup without an answer": {
			&net.DNSError{Err: "read udp 10.1.2.3:41000->10.0.0.53:53: i/o timeout", Name: "a", Server: "10.0.0.53:53", IsTimeout: true},
			"lookup a: the name server does not answer in time",
		},
		"a lookup that is refused": {
			&net.DNSError{Err: "read udp 10.1.2.3:41000->10.0.0.53:53: read: connection refused", Name: "a", IsTemporary: true},
			"lookup a: it failed",
		},
		"a refused connection": {refused, "dial: connect: connection refused"},
		"a reset": {
			fmt.Errorf("net/http: transport connection broken: %w", &net.OpError{Op: "read", Net: "tcp", Source: here, Addr: there, Err: os.NewSyscallError("read", syscall.ECONNRESET)}),
			"read: connection reset by peer",
		},
		"a client as the transport": {&url.Error{Op: "Post", URL: "https://a/private", Err: errors.New("broken")}, "broken"},
		"a client that is refused":  {&url.Error{Op: "Post", URL: "https://a/private", Err: refused}, "dial: connect: connection refused"},
	} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			r.create("a")
			r.net.at("a", func(*http.Request, []byte) (*http.Response, error) { return nil, test.err })
			r.start()
			r.publish(publish.Event{})
			advance(time.Second)
			reason := r.attempts("a")[0].Reason
			if !strings.Contains(reason, test.want) {
				t.Errorf("%s: the reason is %q, want %q in it", name, reason, test.want)
			}
			for _, text := range []string{reason, r.log.String()} {
				if strings.Contains(text, "10.0.0.53") || strings.Contains(text, "10.1.2.3") || strings.Contains(text, "10.9.9.9") || strings.Contains(text, "private") {
					t.Errorf("%s: %q shows an address or a path", name, text)
				}
			}
		})
	}
}

func TestTheLogNamesTheEndpointWithoutALiveSecret(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) {
			e.Secrets = []publish.Secret{{Secret: webhook.NewSecret("whsec_" + strings.Repeat("Zm9v", 8)), Until: time.Now().Add(time.Hour)}}
		})
		r.start()
		advance(2 * time.Hour)
		r.publish(publish.Event{})
		advance(time.Second)
		if text := r.log.String(); !strings.Contains(text, "endpoint \\\"a\\\"") {
			t.Errorf("the log does not name the endpoint: %s", text)
		}
	})
}

package publish_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A server answers what comes over a connection, and closes it by returning.
type server func(ctx context.Context, c net.Conn)

// pipes is a transport as a Publisher's own, over pipes to a server in memory.
type pipes struct {
	serve   server
	running sync.WaitGroup
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, remote := net.Pipe()
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.running.Go(func() {
		defer cancel()
		defer func() { _ = remote.Close() }()
		p.serve(serving, remote)
	})
	return client, nil
}

// readRequest reads a request, and fails if the client has gone.
func readRequest(c net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// write writes until the client does not listen any more.
func write(c net.Conn, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

func TestBadAnswersAreRecordedAttempts(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
	for name, test := range map[string]struct {
		url    string
		serve  server
		result publish.Result
		most   time.Duration // that the attempt takes
		reason string
	}{
		"hanging": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			_, _ = c.Read(make([]byte, 1)) // until the client gives up
		}, publish.Failed, 15 * time.Second, "no answer in time"},
		"not reading": {"http://a/", func(_ context.Context, c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			time.Sleep(20 * time.Second)
		}, publish.Failed, 15 * time.Second, "no answer in time"},
		"dripping header": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			for write(c, "H") {
				time.Sleep(time.Second)
			}
		}, publish.Failed, 15 * time.Second, "no answer in time"},
		"dripping body": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, head)
			for write(c, "x") {
				time.Sleep(time.Second)
			}
		}, publish.Delivered, 2 * time.Second, ""},
		"100 MB": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, head)
			for write(c, strings.Repeat("x", 1<<20)) {
			}
		}, publish.Delivered, time.Second, ""},
		"100 MB of 500": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, "HTTP/1.1 500 No\r\nContent-Length: 100000000\r\n\r\n")
			for write(c, strings.Repeat("x", 1<<20)) {
			}
		}, publish.Failed, time.Second, "status 500"},
		"1 MB of headers": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, "HTTP/1.1 200 OK\r\n")
			for i := 0; write(c, fmt.Sprintf("X-%d: %s\r\n", i, strings.Repeat("x", 1000))) && i < 1000; i++ {
			}
		}, publish.Failed, time.Second, "exceeded"},
		"garbage": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, "\x00\xff\x01 garbage\r\n\r\n")
		}, publish.Failed, time.Second, "malformed"},
		"bad TLS": {"https://a/", func(_ context.Context, c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			write(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, publish.Failed, time.Second, "tls: first record"},
		"reset": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
		}, publish.Failed, time.Second, "EOF"},
		"reset in the body": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, head+"beginning")
		}, publish.Delivered, time.Second, ""},
		"redirect": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
		}, publish.Failed, time.Second, "redirects are not followed"},
		"another protocol": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			write(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_, _ = c.Read(make([]byte, 1)) // until the client gives up
		}, publish.Failed, time.Second, "status 101"},
		"many 1xx": {"http://a/", func(_ context.Context, c net.Conn) {
			_ = readRequest(c)
			for write(c, "HTTP/1.1 103 Early Hints\r\n\r\n") {
			}
		}, publish.Failed, time.Second, "exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t)
				r.Schedule = []time.Duration{time.Hour}
				pipes := &pipes{serve: test.serve}
				transport := publish.NewTransport(pipes.dial, false)
				r.Transport = transport
				r.create("a", func(e *publish.Endpoint) { e.URL = test.url })
				r.start()
				r.publish(publish.Event{Payload: "body"})
				advance(30 * time.Second)
				attempts := r.attempts("a")
				if len(attempts) != 1 {
					t.Fatalf("%d attempts are recorded, want 1", len(attempts))
				}
				a := attempts[0]
				if a.Result != test.result || a.Took > test.most || !strings.Contains(a.Reason, test.reason) || len(a.Response) > 1<<10 {
					t.Errorf("attempt %+v, want %s within %v with reason %q", a, test.result, test.most, test.reason)
				}
				want := webhook.Waiting
				if test.result == publish.Delivered {
					want = webhook.Done
				}
				if s := r.states("a"); s[want] != 1 {
					t.Errorf("deliveries %v, want one %s", s, want)
				}
				r.stop()
				transport.CloseIdleConnections()
				pipes.running.Wait() // else the bubble fails: a goroutine is left
			})
		})
	}
}

func TestTimeoutIsASetting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Timeout = 90 * time.Second
		r.create("a")
		r.net.at("a", after(80*time.Second, status(200)))
		r.create("b")
		r.net.at("b", hang)
		r.start()
		r.publish(publish.Event{})
		advance(2 * time.Minute)
		if a := r.attempts("a"); len(a) != 1 || a[0].Result != publish.Delivered || a[0].Took != 80*time.Second {
			t.Errorf("attempts %+v, want one that took 80s", a)
		}
		if b := r.attempts("b"); len(b) != 1 || b[0].Took != 90*time.Second {
			t.Errorf("attempts %+v, want one that took 90s", b)
		}
	})
}

func TestEveryErrorOfTheTransportIsRetried(t *testing.T) {
	for _, failure := range []error{&net.DNSError{Err: "no such host", Name: "a", IsNotFound: true}, io.ErrUnexpectedEOF, net.ErrClosed} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			r.create("a")
			r.net.at("a", func(*http.Request, []byte) (*http.Response, error) { return nil, failure })
			r.start()
			r.publish(publish.Event{})
			advance(time.Second)
			r.net.at("a", func(*http.Request, []byte) (*http.Response, error) { return nil, nil })
			advance(10 * time.Second)
			r.net.at("a", status(200))
			advance(10 * time.Minute)
			a := r.attempts("a")
			if len(a) != 3 || a[0].Reason != failure.Error() || a[1].Reason == "" || a[2].Result != publish.Delivered {
				t.Errorf("%v: attempts %+v, want three, the last one delivered", failure, a)
			}
		})
	}
}

package dbtest

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// raw starts a server that calls serve with each connection.
func raw(scheme string, serve func(c net.Conn)) func(t *testing.T) string {
	return func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		var all sync.WaitGroup
		all.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				all.Go(func() {
					defer func() { _ = c.Close() }()
					serve(c)
				})
			}
		})
		t.Cleanup(func() {
			_ = l.Close()
			all.Wait()
		})
		return scheme + "://" + l.Addr().String() + "/"
	}
}

// answering starts a server of package httptest, with TLS if config is not nil.
func answering(config *tls.Config, answer http.HandlerFunc) func(t *testing.T) string {
	return func(t *testing.T) string {
		s := httptest.NewUnstartedServer(answer)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		if s.TLS = config; config != nil {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		return s.URL
	}
}

func header(status int, name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		w.WriteHeader(status)
	}
}

func ok(http.ResponseWriter, *http.Request) {}

// readRequest reads a request with its body.
func readRequest(c net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// untilClosed returns when the client has closed the connection.
func untilClosed(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// drip writes a byte each second until the client has closed the connection.
func drip(c net.Conn) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for range second.C {
		if _, err := c.Write([]byte("H")); err != nil {
			return
		}
	}
}

func say(c net.Conn, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

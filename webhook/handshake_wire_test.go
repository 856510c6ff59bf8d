package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// hsEcho answers each request that is not verified with its method and body.
func hsEcho(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof != nil {
		return nil
	}
	return &webhook.Answer{Body: []byte(r.Method + " " + string(body))}
}

// hsConnection serves a Source with the Handshake on one connection in memory.
func hsConnection(t *testing.T, h func(*http.Request, []byte, *webhook.Proof) *webhook.Answer) io.ReadWriter {
	src := recvSource()
	src.Handshake = h
	rc := webhook.NewReceiver(src, recvMustNotRun(t))
	rc.Logger, _ = recvLogger()
	return bodyServer(t, rc)
}

// Several handshakes come on one connection, and the answer to HEAD has no body there.
func TestHandshakesOnOneConnection(t *testing.T) {
	conn := hsConnection(t, hsEcho)
	from := bufio.NewReader(conn)
	for _, tt := range []struct{ method, rest, want string }{
		{"GET", "\r\n", "GET "},
		{"HEAD", "\r\n", ""},
		{"OPTIONS", "Content-Length: 2\r\n\r\n{}", "OPTIONS {}"},
		{"POST", "Content-Length: 0\r\n\r\n", "POST "},
		{"POST", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "POST {}"},
		{"GET", "Content-Length: 2\r\n\r\n{}", "GET {}"},
	} {
		go func() { _, _ = fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: acme.example\r\n%s", tt.method, tt.rest) }()
		resp, err := http.ReadResponse(from, &http.Request{Method: tt.method})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || string(body) != tt.want || resp.Close {
			t.Errorf("%s: answer %s %q, %v, want %q", tt.method, resp.Status, body, err, tt.want)
		}
	}
}

// A sender that waits for 100 Continue gets it for a short body at once, and for a long
// one only when it has been admitted.
func TestHandshakeAndExpect100Continue(t *testing.T) {
	const first = "POST / HTTP/1.1\r\nHost: acme.example\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
	for _, tt := range []struct {
		length, status int
		body           string
	}{
		{2, 100, "POST {}"},
		{1024, 100, "POST " + strings.Repeat(" ", 1024)},
		{1025, 401, ""},
	} {
		conn := hsConnection(t, hsEcho)
		from := bufio.NewReader(conn)
		go func() { _, _ = fmt.Fprintf(conn, first, tt.length) }()
		resp, err := http.ReadResponse(from, nil)
		if err != nil || resp.StatusCode != tt.status {
			t.Fatalf("%d bytes: first answer %v, %v, want %d", tt.length, resp, err, tt.status)
		}
		if tt.status != 100 {
			continue
		}
		go func() { _, _ = io.WriteString(conn, strings.TrimPrefix(tt.body, "POST ")) }()
		resp, err = http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != tt.body {
			t.Errorf("%d bytes: answer %.20q, %v", tt.length, body, err)
		}
	}
}

// A body for the unverified stage must arrive in the time of any other body. Then it is
// for the Verifier to say what a slow request gets.
func TestBodyOfAHandshakeMustArriveInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		method string
		sig    []string
		status int
	}{
		"a sender's":   {"POST", nil, 503},
		"a stranger's": {"POST", []string{}, 401},
		"with GET":     {"GET", nil, 405},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := hsConnection(t, func(*http.Request, []byte, *webhook.Proof) *webhook.Answer {
					t.Error("Handshake was called")
					return nil
				})
				start := time.Now()
				go func() {
					_, _ = io.WriteString(conn, badCall{method: tt.method, body: "{}", length: 100, sig: tt.sig}.text())
				}()
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); resp.StatusCode != tt.status || took != 10*time.Second {
					t.Errorf("answer %s after %v, want %d after 10s", resp.Status, took, tt.status)
				}
			})
		})
	}
}

// The read timeout is for the body only: a Handshake that takes longer keeps its context.
func TestReadTimeoutEndsBeforeHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := hsConnection(t, func(r *http.Request, body []byte, _ *webhook.Proof) *webhook.Answer {
			time.Sleep(time.Minute)
			if err := r.Context().Err(); err != nil {
				t.Errorf("the context of %s ended: %v", r.Method, err)
			}
			return hsEcho(r, body, nil)
		})
		from := bufio.NewReader(conn)
		for _, text := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"} {
			go func() { _, _ = io.WriteString(conn, text) }()
			resp, err := http.ReadResponse(from, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || err != nil {
				t.Errorf("answer %s %q, %v", resp.Status, body, err)
			}
		}
	})
}

package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// bodyServer serves h on one connection in memory, with deadlines in the fake time
// of synctest, and returns the client's end.
func bodyServer(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	l := &oneListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	l.conns <- server
	s := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = client.Close()
		_ = s.Close()
		<-served
	})
	return client
}

type oneListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *oneListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneListener) Close() error {
	close(l.done)
	return nil
}

// bodyAnswer sends the text and reads the answer.
func bodyAnswer(t *testing.T, conn net.Conn, text string) *http.Response {
	t.Helper()
	go func() { _, _ = io.WriteString(conn, text) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestPromise9_ABodyMustArriveInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout, want time.Duration
		sig           []string
		status        int
	}{
		"by default":           {0, 10 * time.Second, nil, 503},
		"as set":               {time.Minute, time.Minute, nil, 503},
		"a stranger's as well": {time.Minute, time.Minute, []string{}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rc := webhook.NewReceiver(recvSource(), recvMustNotRun(t))
				rc.Logger, _ = recvLogger()
				rc.ReadTimeout = tt.timeout
				start := time.Now()
				resp := bodyAnswer(t, bodyServer(t, rc), badCall{body: "{}", length: 100, sig: tt.sig}.text())
				if took := time.Since(start); resp.StatusCode != tt.status || took != tt.want {
					t.Errorf("answer %s after %v, want %d after %v", resp.Status, took, tt.status, tt.want)
				}
			})
		})
	}
}

// The deadline is for the body only: a Handler may take longer, and its context
// still ends when the sender leaves.
func TestReadTimeoutEndsWhenTheBodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan error, 1)
		rc := webhook.NewReceiver(recvSource(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			time.Sleep(time.Hour)
			if ctx.Err() != nil {
				t.Errorf("the handler's context ended: %v", context.Cause(ctx))
			}
			if string(d.Body) == "leave" {
				<-ctx.Done()
				left <- ctx.Err()
			}
			return nil
		}))
		rc.Logger, _ = recvLogger()
		conn := bodyServer(t, rc)
		if resp := bodyAnswer(t, conn, badCall{body: "{}"}.text()); resp.StatusCode != 202 {
			t.Errorf("answer %s", resp.Status)
		}
		_, _ = io.WriteString(conn, badCall{body: "leave"}.text()) // on the same connection
		time.Sleep(2 * time.Hour)
		_ = conn.Close()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the sender left: %v", err)
		}
	})
}

// A wrapped ResponseWriter passes on the deadline. One without deadlines is not an error.
func TestReadTimeoutIsSetThroughWrappers(t *testing.T) {
	src := recvSource()
	rc := webhook.NewReceiver(src, recvOK)
	for _, wrapped := range []bool{true, false} {
		inner := &deadlineWriter{ResponseRecorder: httptest.NewRecorder()}
		var w http.ResponseWriter = onlyWriter{inner}
		if wrapped {
			w = unwrapWriter{onlyWriter{inner}, inner}
		}
		rc.ServeHTTP(w, recvRequest(t, src, "{}"))
		if want := map[bool]int{true: 2, false: 0}[wrapped]; inner.Code != 202 || len(inner.deadlines) != want {
			t.Errorf("wrapped %v: answer %d, deadlines %v", wrapped, inner.Code, inner.deadlines)
		}
		if wrapped && (inner.deadlines[0].IsZero() || !inner.deadlines[1].IsZero()) {
			t.Errorf("deadlines %v, want one and then none", inner.deadlines)
		}
	}
}

type deadlineWriter struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (w *deadlineWriter) SetReadDeadline(at time.Time) error {
	w.deadlines = append(w.deadlines, at)
	return nil
}

type onlyWriter struct{ http.ResponseWriter }

type unwrapWriter struct {
	onlyWriter
	inner http.ResponseWriter
}

func (w unwrapWriter) Unwrap() http.ResponseWriter { return w.inner }

// No Content-Length gets more than 16 KiB at first. Once they have arrived, a moderate
// body gets its whole buffer. All other buffers grow by a factor of four.
func TestPromise9_ABufferGrowsAsItsBodyArrives(t *testing.T) {
	const first = 16 << 10
	for _, tt := range []struct {
		name            string
		size, announced int64
		want            []int64
	}{
		{"less than the first chunk", 8000, 8000, []int64{8001}},
		{"the first chunk but for one byte", first - 1, first - 1, []int64{first}},
		{"the first chunk", first, first, []int64{first, first + 1}},
		{"a moderate body", 145_000, 145_000, []int64{first, 145_001}},
		{"the largest moderate body", 256 << 10, 256 << 10, []int64{first, 256<<10 + 1}},
		{"one byte more", 256<<10 + 1, 256<<10 + 1, []int64{first, 64 << 10, 256 << 10, 256<<10 + 2}},
		{"nothing announced", 145_000, -1, []int64{first, 64 << 10, 256 << 10}},
		{"a moderate body that never comes", 100, 145_000, []int64{first}},
		{"one that ends with the first chunk", first, 145_000, []int64{first, 145_001}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := recvSource()
			body := &roomReader{left: tt.size}
			r := recvRequest(t, src, "")
			r.Body, r.ContentLength = body, tt.announced
			rc := webhook.NewReceiver(src, recvOK)
			rc.Logger, _ = recvLogger()
			recvServe(rc, r)
			if !slices.Equal(body.rooms, tt.want) {
				t.Errorf("its buffers had %v bytes, want %v", body.rooms, tt.want)
			}
		})
	}
}

// A roomReader records the sizes of the buffers that it is read into.
type roomReader struct {
	read, left int64
	rooms      []int64
}

func (r *roomReader) Read(p []byte) (int, error) {
	if room := r.read + int64(len(p)); !slices.Contains(r.rooms, room) {
		r.rooms = append(r.rooms, room)
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), r.left)
	r.read, r.left = r.read+n, r.left-n
	return int(n), nil
}

func (*roomReader) Close() error { return nil }

// A body arrives complete, however its reader returns it.
func TestBodyIsDeliveredAsSent(t *testing.T) {
	for _, size := range []int{0, 1, 511, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1<<20 - 1, 1 << 20} {
		body := strings.Repeat("0123456789", size/10+1)[:size]
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"at once":           func(r io.Reader) io.Reader { return r },
			"with its end":      iotest.DataErrReader,
			"in halves":         iotest.HalfReader,
			"in single bytes":   iotest.OneByteReader,
			"with nothing read": func(r io.Reader) io.Reader { return io.MultiReader(strings.NewReader(""), r) },
		} {
			if name == "in single bytes" && size > 64<<10 {
				continue // too slow to be worth it
			}
			for _, announced := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d bytes %s, announced %v", size, name, announced), func(t *testing.T) {
					src := recvSource()
					got := make(chan *webhook.Delivery, 1)
					r := recvRequest(t, src, body)
					r.Body = io.NopCloser(reader(strings.NewReader(body)))
					if !announced {
						r.ContentLength = -1
					}
					w := recvServe(webhook.NewReceiver(src, recvSend(got)), r)
					if w.Code != 202 {
						t.Fatalf("answer %d", w.Code)
					}
					if d := <-got; string(d.Body) != body {
						t.Errorf("got %d bytes, want %d", len(d.Body), len(body))
					}
				})
			}
		}
	}
}

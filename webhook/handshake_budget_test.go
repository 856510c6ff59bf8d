package webhook_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// hsBudget returns a Receiver with a small Budget. Its Handshake answers strangers.
func hsBudget() (webhook.Source, *webhook.Receiver) {
	src := recvSource()
	src.MaxBody = 24<<10 - 1
	src.Budget = webhook.NewBudget(64 << 10)
	src.Handshake = func(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
		if r.Header.Get("X-Hub-Signature-256") != "" {
			return nil
		}
		return hsEcho(r, body, proof)
	}
	rc := webhook.NewReceiver(src, recvOK)
	rc.Logger, _ = recvLogger()
	return src, rc
}

// hsUnsigned posts a body without a signature, and without Content-Length.
func hsUnsigned(rc *webhook.Receiver, body io.Reader) int {
	return recvServe(rc, httptest.NewRequest("POST", "/", io.MultiReader(body))).Code
}

// Strangers whose bodies do not arrive hold little memory: senders get theirs at once.
func TestStrangersCannotUseUpTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, rc := hsBudget()
		never, end := io.Pipe()
		for range 100 {
			go hsUnsigned(rc, never)
		}
		synctest.Wait()
		start := time.Now()
		if got := hsUnsigned(rc, strings.NewReader("{}")); got != 401 {
			t.Errorf("one more stranger: answer %d, want that of Admit", got)
		}
		for _, method := range []string{"HEAD", "POST"} {
			if got := recvServe(rc, httptest.NewRequest(method, "/", nil)).Code; got != 200 {
				t.Errorf("%s without a body: answer %d, want 200", method, got)
			}
		}
		empty := httptest.NewRequest("OPTIONS", "/", nil)
		empty.Body = io.NopCloser(strings.NewReader("")) // as over HTTP/2
		if got := recvServe(rc, empty).Code; got != 200 {
			t.Errorf("OPTIONS with an empty body: answer %d, want 200", got)
		}
		for _, size := range []int{2, 1024, 1025, budgetChunk, 20_000} {
			if got := recvServe(rc, recvRequest(t, src, strings.Repeat(" ", size))).Code; got != 202 {
				t.Errorf("a sender's %d bytes: answer %d, want 202", size, got)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("answers after %v, want at once", took)
		}
		_ = end.CloseWithError(errors.New("reset"))
		synctest.Wait()
		if got := hsUnsigned(rc, strings.NewReader("{}")); got != 200 {
			t.Errorf("afterwards: answer %d, want 200", got)
		}
	})
}

// Senders may use the whole Budget. A handshake with a body then has none, and
// gets the answer of the Verifier.
func TestHandshakeOverTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, rc := hsBudget()
		never, end := io.Pipe()
		signed := func(length int64) int {
			r := recvRequest(t, src, "{}")
			r.Body, r.ContentLength = never, length
			return recvServe(rc, r).Code
		}
		for range 4 {
			go signed(budgetChunk)
		}
		synctest.Wait()
		if got := hsUnsigned(rc, strings.NewReader("{}")); got != 401 {
			t.Errorf("a stranger: answer %d, want that of Admit", got)
		}
		start := time.Now()
		if got := signed(2); got != 503 || time.Since(start) != 2*time.Second {
			t.Errorf("a sender: answer %d after %v, want 503 after 2s", got, time.Since(start))
		}
		_ = end.CloseWithError(errors.New("reset"))
	})
}

// However a request ends, all of its memory is released.
func TestHandshakeReleasesItsMemory(t *testing.T) {
	body := func(n int) io.Reader { return strings.NewReader(strings.Repeat(" ", n)) }
	for name, tt := range map[string]struct {
		body   func() io.Reader
		length int64
		signed bool
		status int
	}{
		"an answer":                      {func() io.Reader { return body(2) }, 2, false, 200},
		"an answer, length unknown":      {func() io.Reader { return body(1024) }, -1, false, 200},
		"a stranger":                     {func() io.Reader { return body(1025) }, -1, false, 401},
		"a stranger whose body ends":     {func() io.Reader { return iotest.ErrReader(io.ErrUnexpectedEOF) }, -1, false, 401},
		"a panic of the body":            {func() io.Reader { return panicReader{} }, -1, false, 500},
		"a delivery":                     {func() io.Reader { return body(2) }, 2, true, 202},
		"a delivery, length unknown":     {func() io.Reader { return iotest.OneByteReader(body(1025)) }, -1, true, 202},
		"a large one, length unknown":    {func() io.Reader { return body(20_000) }, -1, true, 202},
		"one too large, length unknown":  {func() io.Reader { return body(24 << 10) }, -1, true, 413},
		"one that ends, length unknown":  {func() io.Reader { return io.MultiReader(body(2000), brokenReader{}) }, -1, true, 400},
		"one that ends in the first KiB": {func() io.Reader { return io.MultiReader(body(2), brokenReader{}) }, 100, true, 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, rc := hsBudget()
				for range 10 {
					r := httptest.NewRequest("POST", "/", nil)
					if tt.signed {
						length := tt.length
						if length < 0 {
							data, _ := io.ReadAll(tt.body())
							length = int64(len(data))
						}
						r = recvRequest(t, src, strings.Repeat(" ", int(length)))
					}
					r.Body, r.ContentLength = io.NopCloser(tt.body()), tt.length
					if got := recvServe(rc, r).Code; got != tt.status {
						t.Fatalf("answer %d, want %d", got, tt.status)
					}
				}
				never, end := io.Pipe()
				for range 3 { // together with the next one they need the whole Budget
					r := recvRequest(t, src, "")
					r.Body, r.ContentLength = never, budgetChunk
					go recvServe(rc, r)
				}
				synctest.Wait()
				start := time.Now()
				if got := recvServe(rc, recvRequest(t, src, strings.Repeat(" ", budgetChunk))).Code; got != 202 || time.Since(start) != 0 {
					t.Errorf("afterwards: answer %d after %v, want 202 at once", got, time.Since(start))
				}
				_ = end.CloseWithError(io.ErrUnexpectedEOF)
			})
		})
	}
}

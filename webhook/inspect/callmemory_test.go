package inspect_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The method and the URL of a request are parts of its first line, which a stranger makes
// long. Its memory must not be kept with the call.
func TestTheFirstLineOfARequestIsNotKept(t *testing.T) {
	for _, target := range []string{"http://%s/hooks", "mailto:%s", "/hooks?%s", "http://%s@acme.example/hooks/github"} {
		r := newRig(t)
		h := r.receiver(gitHubSource(ours))
		before := heap()
		for range 32 {
			line := "POST " + strings.Replace(target, "%s", strings.Repeat("a", 900<<10), 1) + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n"
			request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line)))
			if err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			serveCall(h, request)
		}
		if kept := heap() - before; kept > 8<<20 {
			t.Errorf("%s: 32 calls keep %d bytes", target, kept)
		}
		if c := r.last(); c.N != 32 || c.Method != "POST" {
			t.Errorf("%+v", c)
		}
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A program may keep the context of a call for as long as it likes.
func TestTheContextOfACallKeepsNoBody(t *testing.T) {
	r := newRig(t)
	var kept []context.Context
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.ReadAll(req.Body)
		kept = append(kept, req.Context())
	}))
	before := heap()
	for range 64 {
		serveCall(h, webhooktest.NewRequest(gitHubSource(ours), "/", []byte(`"`+strings.Repeat("x", 256<<10)+`"`)))
	}
	if n := heap() - before; n > 8<<20 {
		t.Errorf("64 contexts keep %d bytes", n)
	}
	runtime.KeepAlive(kept)
}

// A request of very many headers costs little more than it costs without Watch.
func TestVeryManyHeadersAreNotCopied(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	request := webhooktest.NewRequest(gitHubSource(theirs), "/hooks/github", []byte("{}"))
	for i := range 100_000 {
		request.Header[fmt.Sprint("X-", i)] = []string{"x"}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	serveCall(h, request)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
	if c := r.last(); len(c.Header) == 0 || len(c.Header) > 2000 || len(c.Header)+c.HeadersLeft != 100_002 {
		t.Errorf("%d headers, %d left", len(c.Header), c.HeadersLeft)
	}
}

package browsertest

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// password is the password of the management.
const password = "correct horse battery staple"

// start starts a process of the guestbook, waits until the log has a text, and returns the rest
// of that line. The process ends with the test.
func start(t *testing.T, text string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, append([]string{"-allow", "127.0.0.1", "-insecure-http"}, args...)...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"GUESTBOOK_PASSWORD=" + password}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), text); ok {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for lines.Scan() {
				}
			}()
			t.Cleanup(func() {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				<-ended
				if err := cmd.Wait(); err != nil {
					t.Errorf("guestbook %q: %v", args, err)
				}
			})
			return rest
		}
	}
	t.Fatalf("guestbook %q: its log has no %q: %v", args, text, cmd.Wait())
	return ""
}

// A receiver gets what webhooks send.
type receiver struct {
	url string

	mu       sync.Mutex
	requests []received
}

// A received is a request.
type received struct {
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T) *receiver {
	r := new(receiver)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, received{req.Header.Clone(), body})
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/hook"
	return r
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.requests...)
}

// next waits for the request after the first n ones.
func (r *receiver) next(t *testing.T, n int) received {
	t.Helper()
	eventually(t, "another request", func() bool { return len(r.all()) > n })
	return r.all()[n]
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(3 * time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("there is not: %s", what)
		}
	}
}

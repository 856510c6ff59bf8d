//go:build unix

package webhook_test

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	slowSenders = 10_000
	slowBudget  = 256 << 20
	// The memory of net/http for one connection, apart from the body: buffers, headers,
	// goroutine.
	slowConnection = 24 << 10
	// slowEnv makes a process of this test the sender, since one process
	// may not have enough files for both ends of all connections.
	slowEnv = "WEBHOOK_TEST_SLOW_SENDERS"
)

// countingVerifier counts the requests whose body is read.
type countingVerifier struct {
	webhook.Verifier
	admitted atomic.Int64
	all      chan struct{}
	n        int64
}

func (v *countingVerifier) Admit(r *http.Request) error {
	err := v.Verifier.Admit(r)
	if err == nil && v.admitted.Add(1) == v.n {
		close(v.all)
	}
	return err
}

// Validate validates the embedded Verifier: the interface does not have this method.
func (v *countingVerifier) Validate() error {
	return v.Verifier.(interface{ Validate() error }).Validate()
}

// descriptors requests n open files and returns the number allowed: an
// administrator may raise the hard limit, other users only the soft limit.
func descriptors(t *testing.T, n int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if int64(limit.Cur) >= int64(n) {
		return n
	}
	limit.Cur = limit.Max
	for _, more := range []syscall.Rlimit{limit, {Cur: uint64(n), Max: uint64(n)}} {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more)
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return min(int(limit.Cur), n)
}

func TestPromise9_TenThousandSlowSendersLeaveSmallDeliveriesAnswered(t *testing.T) {
	n := slowSenders
	if most := descriptors(t, slowSenders+500) - 500; most < n {
		fmt.Printf("left out: %d of %d slow senders, for the limit of open files; get them: ulimit -n %d\n", n-most, n, slowSenders+500)
		n = most
	}
	src := recvSource()
	src.MaxBody = 25 << 20
	src.Budget = webhook.NewBudget(slowBudget)
	counting := &countingVerifier{Verifier: src.Verifier, all: make(chan struct{}), n: int64(n)}
	signer := src.Verifier.(webhook.Signer)
	src.Verifier = counting
	rc := webhook.NewReceiver(src, recvOK)
	rc.ReadTimeout = time.Hour // so that the requests remain open
	rc.Logger = slog.New(slog.DiscardHandler)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: rc, ReadHeaderTimeout: time.Hour, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	before := liveHeap()

	senders := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	senders.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", slowEnv, listener.Addr(), n))
	senders.Stderr = os.Stderr
	leave, err := senders.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := senders.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- senders.Wait() }()
	select {
	case <-counting.all:
	case err := <-gone:
		t.Fatalf("the senders left after %d calls: %v", counting.admitted.Load(), err)
	}

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	var small sync.WaitGroup
	for range 8 {
		small.Go(func() {
			for range 25 {
				body := strings.Repeat("x", 8000)
				r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+listener.Addr().String()+"/hooks/acme", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				if err := signer.Sign(r, []byte(body)); err != nil {
					t.Error(err)
				}
				resp, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusAccepted {
					t.Errorf("a small delivery is answered %s", resp.Status)
				}
			}
		})
	}
	small.Wait()

	ceiling := int64(slowBudget) + int64(n)*slowConnection
	used := liveHeap() - before
	t.Logf("%d senders announced %d MB; live heap %d MB, ceiling %d MB", n, n*25, used>>20, ceiling>>20)
	if used > ceiling {
		t.Errorf("live heap %d bytes is over %d", used, ceiling)
	}
	_ = server.Close()
	_ = leave.Close()
	if err := <-gone; err != nil {
		t.Errorf("the senders: %v", err)
	}
}

// init is the other process. It announces 25 MB on each of n connections, sends
// from one byte to 40 KiB of it, and holds them until its input ends.
func init() {
	var addr string
	var n int
	if _, err := fmt.Sscan(os.Getenv(slowEnv), &addr, &n); err != nil {
		return
	}
	head := fmt.Sprintf("POST /hooks/acme HTTP/1.1\r\nHost: acme.example\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n",
		strings.Repeat("00", 32), 25_000_000)
	sizes := []int{1, 100, 1 << 10, 4 << 10, 12 << 10, 20 << 10, 40 << 10}
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		conns[i] = c
		_, _ = io.WriteString(c, head+strings.Repeat("x", sizes[i%len(sizes)]))
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// call makes a call without a server.
func call(p *parts, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	withBins(p.intake, p.routes()).ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

// count returns how many deliveries an inbox has.
func count(t *testing.T, in inbox) (n int) {
	t.Helper()
	for _, err := range in.All(t.Context(), webhook.Filter{}) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestABinExpiresWithItsCaptures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, in := newTestParts(t, "-open", "-expire", "1h")
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		running.Go(func() { _ = p.worker.Run(ctx) })
		running.Go(func() { _ = p.janitor.Run(ctx) })
		call(p, "POST", "/in/short", "x")
		if err := p.pages.bins.save(t.Context(), newBin("long", time.Now().Add(2*time.Hour)), true); err != nil {
			t.Fatal(err)
		}
		call(p, "POST", "/in/long", "x")
		p.intake.open = false
		advance(time.Hour - time.Second)
		if got := call(p, "POST", "/in/short", "x"); got.Code != 200 || count(t, in) != 3 {
			t.Errorf("before its end: %d, %d captures", got.Code, count(t, in))
		}
		advance(time.Second)
		if got := call(p, "POST", "/in/short", "x"); got.Code != 404 {
			t.Errorf("at its end: %d", got.Code)
		}
		advance(2 * cleanEvery)
		if n := count(t, in); n != 1 || len(p.pages.bins.byName) != 1 {
			t.Errorf("after its end: %d captures, %d bins", n, len(p.pages.bins.byName))
		}
		if got := call(p, "POST", "/in/long", "x"); got.Code != 200 {
			t.Errorf("the other bin: %d", got.Code)
		}
	})
}

// What is being forwarded when its bin ends is deleted later.
func TestWhatIsLeftOfABinIsDeleted(t *testing.T) {
	p, in := newTestParts(t, "-open")
	call(p, "POST", "/in/demo", "x")
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("%d claims, %v", len(claims), err)
	}
	if err := p.pages.bins.end(t.Context(), "demo", true); err != nil || count(t, in) != 1 {
		t.Fatalf("%v, %d captures", err, count(t, in))
	}
	if _, err := in.Settle(t.Context(), claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
		t.Fatal(err)
	}
	if err := p.pages.bins.clean(t.Context()); err != nil || count(t, in) != 0 {
		t.Errorf("%v, %d captures", err, count(t, in))
	}
}

// advance lets time pass in a bubble, and waits until all that it begins is done or waits.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Until the janitor has come, an expired bin's captures are there, but not in a new bin.
func TestABinMadeAnewHasNoCapturesOfTheExpiredOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, in := newTestParts(t, "-open", "-expire", "1h")
		call(p, "POST", "/in/demo", "of the expired bin")
		advance(time.Hour)
		call(p, "POST", "/in/demo", "new")
		for r, err := range in.All(t.Context(), webhook.Filter{Bodies: true}) {
			if err != nil || string(r.Delivery.Body) != "new" {
				t.Errorf("%q, %v", r.Delivery.Body, err)
			}
		}
		if n := p.captures().count("demo"); n != 1 {
			t.Errorf("%d captures, want 1", n)
		}
	})
}

func TestAnAnswerIsDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, in := newTestParts(t, "-rate", "1000")
		slow := newBin("slow", time.Now().Add(time.Hour))
		slow.Delay = maxDelay
		if err := p.pages.bins.save(t.Context(), slow, true); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var calls sync.WaitGroup
		for range binDelays {
			calls.Go(func() {
				if got := call(p, "GET", "/in/slow", ""); got.Code != 200 {
					t.Errorf("answered %d", got.Code)
				}
				if took := time.Since(began); took != maxDelay {
					t.Errorf("answered after %v", took)
				}
			})
		}
		synctest.Wait()
		if n := count(t, in); n != binDelays {
			t.Errorf("%d captures before the answers", n)
		}
		if got := call(p, "GET", "/in/slow", ""); got.Code != 503 || time.Since(began) != 0 {
			t.Errorf("one delay more: %d after %v", got.Code, time.Since(began))
		}
		calls.Wait()
		// A caller who leaves does not hold a slot.
		ctx, leave := context.WithCancel(t.Context())
		calls.Go(func() {
			p.intake.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/in/slow", nil))
		})
		synctest.Wait()
		leave()
		calls.Wait()
		// The end of the program ends the delays.
		calls.Go(func() {
			if got := call(p, "GET", "/in/slow", ""); got.Code != 200 {
				t.Errorf("answered %d at the end", got.Code)
			}
		})
		synctest.Wait()
		p.intake.delays.end()
		calls.Wait()
		if took := time.Since(began); took != maxDelay {
			t.Errorf("answered after %v", took)
		}
	})
}

func TestACallerWhoLeavesIsCaptured(t *testing.T) {
	p, in := newTestParts(t, "-open", newDatabase(t))
	call(p, "POST", "/in/demo", "")
	ctx, leave := context.WithCancel(t.Context())
	leave()
	p.intake.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/in/demo", strings.NewReader("x")))
	if n := count(t, in); n != 2 {
		t.Errorf("%d captures, want 2", n)
	}
}

// A pipeListener accepts one connection, in memory.
type pipeListener struct {
	accepted chan net.Conn
	closed   context.Context
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestABodyThatDoesNotArriveIsCapturedWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, in := newTestParts(t, "-open")
		ctx, cancel := context.WithCancel(context.Background())
		ours, theirs := net.Pipe()
		l := pipeListener{make(chan net.Conn, 1), ctx}
		l.accepted <- theirs
		server := p.server(withBins(p.intake, p.routes()))
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(l) })
		defer advance(time.Second) // the server closes the connection half a second later
		defer serving.Wait()
		defer func() { _ = server.Close() }()
		defer cancel()
		began := time.Now()
		if _, err := fmt.Fprint(ours, "POST /in/demo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nslow"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(ours), nil)
		if err != nil || response.StatusCode != 408 || time.Since(began) != bodyTimeout {
			t.Errorf("%v, %v after %v", response, err, time.Since(began))
		}
		for r, err := range in.All(t.Context(), webhook.Filter{Bodies: true}) {
			if got := r.Delivery.Header.Get(bodyHeader); err != nil || r.Size != 0 || got != "The body did not arrive within 10s. It is not stored." {
				t.Errorf("captured %d bytes, %q, %v", r.Size, got, err)
			}
		}
		if n := count(t, in); n != 1 || p.intake.memory.used.Load() != 0 {
			t.Errorf("%d captures, %d bytes are in use", n, p.intake.memory.used.Load())
		}
	})
}

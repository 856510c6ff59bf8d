package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// budgetChunk is a body that takes exactly the first 16 KiB.
const budgetChunk = 16<<10 - 1

// A budgetRoom is a Receiver whose Handler waits for a signal to continue.
type budgetRoom struct {
	src    webhook.Source
	rc     *webhook.Receiver
	leave  chan struct{}
	status chan int
}

// newBudgetRoom returns a budgetRoom with memory for four first chunks.
func newBudgetRoom() *budgetRoom {
	b := &budgetRoom{src: recvSource(), leave: make(chan struct{}), status: make(chan int, 100)}
	b.src.Budget = webhook.NewBudget(64 << 10)
	b.src.MaxBody = 24<<10 - 1
	b.rc = webhook.NewReceiver(b.src, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		<-b.leave
		return nil
	}))
	b.rc.Logger, _ = recvLogger()
	return b
}

// call starts a request with the given number of bytes and returns when it blocks.
func (b *budgetRoom) call(t *testing.T, ctx context.Context, bytes int) {
	r := recvRequest(t, b.src, strings.Repeat("x", bytes)).WithContext(ctx)
	go func() { b.status <- recvServe(b.rc, r).Code }()
	synctest.Wait()
}

// want receives n answers with this status.
func (b *budgetRoom) want(t *testing.T, n, status int) {
	t.Helper()
	for range n {
		if got := <-b.status; got != status {
			t.Errorf("answer %d, want %d", got, status)
		}
	}
}

// nobody checks that no request was answered.
func (b *budgetRoom) nobody(t *testing.T) {
	t.Helper()
	select {
	case got := <-b.status:
		t.Errorf("answered %d too early", got)
	default:
	}
}

func TestPromise9_ARequestWaitsTwoSecondsForItsFirstChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		for range 4 {
			b.call(t, t.Context(), budgetChunk)
		}
		start := time.Now()
		b.call(t, t.Context(), 1)
		b.nobody(t)
		b.want(t, 1, http.StatusServiceUnavailable)
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("it waited %v, want 2s", waited)
		}
		close(b.leave)
		b.want(t, 4, http.StatusAccepted)
	})
}

func TestPromise9_AWaitingRequestGetsMemoryThatIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		for range 4 {
			b.call(t, t.Context(), budgetChunk)
		}
		b.call(t, t.Context(), budgetChunk)
		b.call(t, t.Context(), budgetChunk)
		time.Sleep(2*time.Second - 1)
		b.nobody(t)
		close(b.leave)
		b.want(t, 6, http.StatusAccepted)
	})
}

func TestPromise9_ARequestThatHoldsMemoryNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		b.call(t, t.Context(), 20_000) // its buffer has grown: it holds 20 001 bytes
		start := time.Now()
		b.call(t, t.Context(), 20_000) // has memory for the first chunk, but not to grow
		b.want(t, 1, http.StatusServiceUnavailable)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("it waited %v while it held memory", waited)
		}
		close(b.leave)
		b.want(t, 1, http.StatusAccepted)
	})
}

func TestPromise9_LargeBodiesDoNotShutOutSmallOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		b.call(t, t.Context(), 20_000)
		for range 2 { // together with the first they hold three quarters
			b.call(t, t.Context(), 14_000)
		}
		b.call(t, t.Context(), budgetChunk) // the last quarter is for first chunks
		b.nobody(t)
		close(b.leave)
		b.want(t, 4, http.StatusAccepted)
	})
}

func TestPromise9_ARequestWhoseSenderLeavesStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		for range 4 {
			b.call(t, t.Context(), budgetChunk)
		}
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		b.call(t, ctx, 1)
		cancel()
		b.want(t, 1, http.StatusServiceUnavailable)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("it waited %v for nobody", waited)
		}
		close(b.leave)
		b.want(t, 4, http.StatusAccepted)
	})
}

// However a request ends, its memory is released.
func TestPromise9_EverythingIsReleased(t *testing.T) {
	panics := verifierFunc(func(*http.Request, []byte) (webhook.Proof, error) { panic("a bug") })
	refuses := verifierFunc(func(*http.Request, []byte) (webhook.Proof, error) {
		return webhook.Proof{}, webhook.ErrUnverified
	})
	for name, tt := range map[string]struct {
		verifier webhook.Verifier
		handler  webhook.Handler
		body     func() io.Reader
		length   int64
	}{
		"success":                          {handler: recvOK, body: budgetBody(budgetChunk, nil), length: budgetChunk},
		"success, grown":                   {handler: recvOK, body: budgetBody(20_000, nil), length: -1},
		"a forged body":                    {verifier: refuses, body: budgetBody(20_000, nil), length: -1},
		"a verifier that panics":           {verifier: panics, body: budgetBody(1, nil), length: budgetChunk},
		"a handler that panics":            {handler: webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { panic("a bug") }), body: budgetBody(1, nil), length: 1},
		"a handler that fails":             {handler: recvFails(io.EOF), body: budgetBody(1, nil), length: 1},
		"a body that breaks off":           {body: budgetBody(17_000, brokenReader{}), length: 20_000},
		"a body that is longer than said":  {body: budgetBody(100, nil), length: 50},
		"a body that is too large":         {body: budgetBody(30_000, nil), length: -1},
		"a body that is announced so":      {body: budgetBody(0, nil), length: 30_000},
		"a body whose reader panics":       {body: budgetBody(0, panicReader{}), length: 20_000},
		"no body":                          {handler: recvOK, body: budgetBody(0, nil)},
		"a body that grows, then too late": {body: budgetBody(17_000, lateReader{}), length: -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBudgetRoom()
				src := b.src
				src.Verifier = tt.verifier
				if src.Verifier == nil {
					src.Verifier = &webhook.InsecureAcceptAll{}
				}
				h := tt.handler
				if h == nil {
					h = recvMustNotRun(t)
				}
				rc := webhook.NewReceiver(src, h)
				rc.Logger, _ = recvLogger()
				for range 10 { // a few of them would use up the Budget
					r := httptest.NewRequest("POST", "/", tt.body())
					r.ContentLength = tt.length
					recvServe(rc, r)
				}
				for range 4 {
					b.call(t, t.Context(), budgetChunk)
				}
				start := time.Now()
				close(b.leave)
				b.want(t, 4, http.StatusAccepted)
				if waited := time.Since(start); waited != 0 {
					t.Errorf("a call had to wait %v", waited)
				}
			})
		})
	}
}

// budgetBody makes bodies of n bytes, followed by end if it is not nil.
func budgetBody(n int, end io.Reader) func() io.Reader {
	return func() io.Reader {
		body := strings.NewReader(strings.Repeat("x", n))
		if end == nil {
			return body
		}
		return io.MultiReader(body, end)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type lateReader struct{}

func (lateReader) Read([]byte) (int, error) { return 0, context.DeadlineExceeded }

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("a bug") }

func TestNewBudget(t *testing.T) {
	for _, bytes := range []int64{-1, 0, 1, 64<<10 - 1} {
		verifierPanics(t, fmt.Sprintf("a budget of %d", bytes), func() { webhook.NewBudget(bytes) })
	}
	webhook.NewBudget(64 << 10)
}

// The largest allowed body fits into an unused Budget.
func TestLargestBodyFitsIntoItsBudget(t *testing.T) {
	for _, size := range []int64{64 << 10, 1 << 20, 10 << 20, 64<<10 + 4321} {
		src := webhook.Source{Name: "acme", Verifier: &webhook.InsecureAcceptAll{}, Budget: webhook.NewBudget(size)}
		src.MaxBody = (size-size/4)/2 - 1
		for _, announced := range []bool{true, false} {
			rc := webhook.NewReceiver(src, recvOK)
			rc.Logger, _ = recvLogger()
			r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", int(src.MaxBody))))
			if !announced {
				r.ContentLength = -1
			}
			if w := recvServe(rc, r); w.Code != http.StatusAccepted {
				t.Errorf("%d bytes in a budget of %d, announced %v: answer %d", src.MaxBody, size, announced, w.Code)
			}
		}
		src.MaxBody++
		if err := src.Validate(); err == nil || errors.Is(err, webhook.ErrOverloaded) {
			t.Errorf("one byte more: %v, want a refusal", err)
		}
	}
}

// form starts a request with a form of the given number of bytes and returns when it blocks.
func (b *budgetRoom) form(t *testing.T, bytes int) {
	body := "payload=" + strings.Repeat("x", bytes-len("payload="))
	r := recvRequest(t, b.src, body)
	r.Header.Set("Content-Type", formType)
	go func() { b.status <- recvServe(b.rc, r).Code }()
	synctest.Wait()
}

func TestPromise9_AFormIsChargedForItsCopyToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		b.form(t, 15_000) // holds 30 001 bytes
		b.form(t, 15_000) // holds 15 001 bytes, and there is no memory for the copy
		select {
		case got := <-b.status:
			if got != http.StatusServiceUnavailable {
				t.Errorf("answer %d, want 503", got)
			}
		default:
			t.Error("the copy of the second form is not charged")
		}
		b.call(t, t.Context(), 15_000) // JSON has no copy
		close(b.leave)
		b.want(t, 2, http.StatusAccepted)
	})
}

func TestPromise9_LargeFormsDoNotShutOutSmallOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudgetRoom()
		b.form(t, 24<<10-1) // the largest that fits holds all the memory that large bodies may use
		b.form(t, 8<<10-1)
		b.call(t, t.Context(), 20_000)
		b.want(t, 1, http.StatusServiceUnavailable)
		close(b.leave)
		b.want(t, 2, http.StatusAccepted)
	})
}

package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// The unverified stage sees a body of at most 1 KiB, whole. A longer one is received
// unchanged without it.
func TestUnverifiedHandshakeSeesAWholeBodyOfAKiB(t *testing.T) {
	for _, tt := range []struct {
		size, maxBody int
		status        int
		seen          bool
	}{
		{0, 0, 202, true},
		{1, 0, 202, true},
		{1023, 0, 202, true},
		{1024, 0, 202, true},
		{1025, 0, 202, false},
		{1026, 0, 202, false},
		{16 << 10, 0, 202, false},
		{100_000, 0, 202, false},
		{100, 100, 202, true},
		{101, 100, 413, false},
	} {
		body := strings.Repeat("0123456789", tt.size/10+1)[:tt.size]
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"at once":         func(r io.Reader) io.Reader { return r },
			"with its end":    iotest.DataErrReader,
			"in single bytes": iotest.OneByteReader,
		} {
			for _, announced := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d of %d %s, announced %v", tt.size, tt.maxBody, name, announced), func(t *testing.T) {
					src, steps := hsSteps()
					src.MaxBody = int64(tt.maxBody)
					got := make(chan *webhook.Delivery, 1)
					rc := webhook.NewReceiver(src, recvSend(got))
					rc.Logger, _ = recvLogger()
					r := recvRequest(t, src, body)
					r.Body = io.NopCloser(reader(strings.NewReader(body)))
					if !announced {
						r.ContentLength = -1
					}
					if w := recvServe(rc, r); w.Code != tt.status {
						t.Fatalf("answer %d, want %d", w.Code, tt.status)
					}
					if tt.status == 202 {
						if d := <-got; string(d.Body) != body {
							t.Errorf("the delivery has %d bytes, or others", len(d.Body))
						}
					}
					if seen := (*steps)[0] == fmt.Sprintf("handshake unverified %q", body); seen != tt.seen {
						t.Errorf("first step %.60s, want the unverified stage: %v", (*steps)[0], tt.seen)
					}
				})
			}
		}
	}
}

// A stranger cannot make a Receiver read more than that, and one byte to see that there
// is more.
func TestUnverifiedHandshakeReadsNoMoreThanItNeeds(t *testing.T) {
	for _, tt := range []struct{ size, announced, read int64 }{
		{1024, 1024, 1024},
		{1024, -1, 1024},
		{1025, 1025, 0},
		{100_000, 100_000, 0},
		{100_000, -1, 1025},
	} {
		src, _ := hsSteps()
		rc := webhook.NewReceiver(src, recvMustNotRun(t))
		rc.Logger, _ = recvLogger()
		body := &roomReader{left: tt.size}
		r := httptest.NewRequest("POST", "/", body)
		r.ContentLength = tt.announced
		if w := recvServe(rc, r); w.Code != 401 || body.read != tt.read {
			t.Errorf("%d bytes, announced %d: answer %d after %d bytes, want 401 after %d", tt.size, tt.announced, w.Code, body.read, tt.read)
		}
	}
}

// A body that breaks off skips the unverified stage, and strangers learn no more than
// without a Handshake.
func TestUnverifiedHandshakeNeedsAWholeBody(t *testing.T) {
	for name, tt := range map[string]struct {
		body   io.Reader
		length int64
		signed bool
		status int
	}{
		"a sender's breaks off":        {iotest.ErrReader(errors.New("reset")), 10, true, 400},
		"a stranger's breaks off":      {iotest.ErrReader(errors.New("reset")), 10, false, 401},
		"a sender's is read before":    {strings.NewReader("{}"), 10, true, 500},
		"a stranger's is read before":  {strings.NewReader("{}"), 10, false, 401},
		"a sender's is longer than it": {strings.NewReader("{}  "), 2, true, 400},
	} {
		t.Run(name, func(t *testing.T) {
			src, steps := hsSteps()
			rc := webhook.NewReceiver(src, recvMustNotRun(t))
			rc.Logger, _ = recvLogger()
			r := recvRequest(t, src, "{}")
			r.Header.Set("X-Answer", "unverified")
			r.Body, r.ContentLength = io.NopCloser(tt.body), tt.length
			if !tt.signed {
				r.Header.Del("X-Hub-Signature-256")
			}
			if w := recvServe(rc, r); w.Code != tt.status {
				t.Errorf("answer %d, want %d", w.Code, tt.status)
			}
			if diff := cmp.Diff([]string{"admit"}, *steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			r = httptest.NewRequest("GET", "/", tt.body)
			r.Header.Set("X-Answer", "unverified")
			r.ContentLength = 10
			if w := recvServe(rc, r); w.Code != 405 {
				t.Errorf("GET: answer %d, want 405", w.Code)
			}
		})
	}
}

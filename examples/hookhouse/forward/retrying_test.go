package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A target answers one call after the other with its answers, and then with 200.
type target struct {
	answers []func() (*http.Response, error)
	times   []time.Time
}

func (d *target) RoundTrip(*http.Request) (*http.Response, error) {
	d.times = append(d.times, time.Now())
	if n := len(d.times); n <= len(d.answers) {
		return d.answers[n-1]()
	}
	return status(http.StatusOK)()
}

func status(code int, retryAfter ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := make(http.Header)
		for _, text := range retryAfter {
			h.Set("Retry-After", text)
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(""))}, nil
	}
}

func fails(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

var (
	refused = fails(&net.OpError{Op: "dial", Err: errors.New("connection refused")})
	hangsUp = fails(io.ErrUnexpectedEOF)
	slow    = fails(context.DeadlineExceeded)
)

func times(n int, answer func() (*http.Response, error)) (all []func() (*http.Response, error)) {
	for range n {
		all = append(all, answer)
	}
	return all
}

// A developer restarts the target often: what is away is waited for, however long, and each
// problem is said once. What is there and does not answer has a few tries.
func TestATargetThatIsAwayIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []func() (*http.Response, error)
		calls   int
		status  int
		notes   int
	}{
		{"it takes it", nil, 1, 200, 0},
		{"it is not started for an hour", times(240, refused), 241, 200, 1},
		{"it is busy for long", times(100, status(503)), 101, 200, 1},
		{"it limits the rate for long", times(50, status(429, "10")), 51, 200, 1},
		{"a proxy before it has no target", append(times(20, status(502)), times(20, status(504))...), 41, 200, 2},
		{"it restarts again and again", append(append(times(3, hangsUp), times(30, refused)...), append(times(30, status(503)), times(3, hangsUp)...)...), 67, 200, 3},
		{"it refuses", times(1, status(401)), 1, 401, 0},
		{"it crashes with each try", times(100, hangsUp), maxTries, 0, 1},
		{"it hangs with each try", times(100, slow), maxTries / slowTries, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var notes []string
				d := &target{answers: tt.answers}
				f := &Forwarder{Timeout: time.Minute, client: &http.Client{Transport: d}, Note: func(text string) { notes = append(notes, text) }}
				a, _, err := f.send(t.Context(), call{method: "POST", url: "http://localhost/", target: "localhost"})
				if len(d.times) != tt.calls || (err == nil) != (tt.status > 0) || err == nil && a.status != tt.status {
					t.Errorf("%d calls, status %d, %v", len(d.times), a.status, err)
				}
				if len(notes) != tt.notes {
					t.Errorf("notes %q", notes)
				}
				for i, at := range d.times[1:] {
					if pause := at.Sub(d.times[i]); pause < 250*time.Millisecond || pause > maxRetryAfter+time.Second {
						t.Errorf("call %d comes %v after the one before", i+1, pause)
					}
				}
			})
		})
	}
}

// The wait that a target asks for is kept, up to a minute.
func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &target{}
		for _, after := range []string{"7", time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat), "86400", "-5", "soon"} {
			d.answers = append(d.answers, status(503, after))
		}
		f := &Forwarder{Timeout: time.Minute, client: &http.Client{Transport: d}, Note: func(string) {}}
		if _, _, err := f.send(t.Context(), call{method: "POST", url: "http://localhost/"}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{7 * time.Second, 12 * time.Second, time.Minute, 0, 0} {
			if pause := d.times[i+1].Sub(d.times[i]); pause < want || pause > want+2*time.Second {
				t.Errorf("after answer %d it waits %v, want %v", i, pause, want)
			}
		}
	})
}

// The end of Run does not wait for what a target asks for.
func TestTheEndWhileATargetIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		d := &target{answers: times(10, status(503, "60"))}
		f := &Forwarder{Timeout: time.Minute, client: &http.Client{Transport: d}, Note: func(string) {}}
		began := time.Now()
		_, _, err := f.send(ctx, call{method: "POST", url: "http://localhost/"})
		if took := time.Since(began); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

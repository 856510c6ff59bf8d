package webhook_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A testService is a Service on a pipe, which counts the seconds until its Run returns.
type testService struct {
	*webhook.Service
	l     *pipeListener
	ended chan error
}

func startService(ctx context.Context, h http.HandlerFunc, runners ...webhook.Runner) testService {
	l := newPipeListener()
	s := testService{&webhook.Service{Server: &http.Server{Handler: h}, Listener: l, Runners: runners}, l, make(chan error, 1)}
	s.ShutdownDelay, s.ShutdownTimeout = 10*time.Second, 3*time.Second
	go func() { s.ended <- s.Run(ctx) }()
	synctest.Wait()
	return s
}

// ready returns the answer of ReadyHandler.
func (s testService) ready(next http.Handler) (status int, body string) {
	w := httptest.NewRecorder()
	s.ReadyHandler(next).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// get sends a request and returns the status, zero if it was refused.
func (s testService) get() int {
	res, err := s.l.client().Get("http://service/")
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// runs returns a Runner that runs until its context ends, and a func that reports
// whether it runs.
func runs() (webhook.Runner, func() bool) {
	ended := make(chan struct{})
	return runnerFunc(func(ctx context.Context) error {
			defer close(ended)
			<-ctx.Done()
			return nil
		}), func() bool {
			select {
			case <-ended:
				return false
			default:
				return true
			}
		}
}

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

const shuttingDown = `{"ok":false,"problems":["service is shutting down"]}`

func TestServiceAcceptsRequestsDuringShutdownDelay(t *testing.T) {
	broken := errors.New("broken")
	fail := make(chan struct{})
	for _, test := range []struct {
		name string
		end  func(stop context.CancelFunc)
		want error
	}{
		{"when the context ends", func(stop context.CancelFunc) { stop() }, nil},
		{"when a Runner fails", func(context.CancelFunc) { close(fail) }, broken},
	} {
		synctestRun(t, test.name, func(t *testing.T) {
			fail = make(chan struct{})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			other, otherRuns := runs()
			s := startService(ctx, noContent, other, runnerFunc(func(ctx context.Context) error {
				select {
				case <-fail:
					return broken
				case <-ctx.Done():
					return nil
				}
			}))
			if status, _ := s.ready(nil); status != http.StatusOK {
				t.Errorf("ReadyHandler answers %d before the end, want 200", status)
			}
			test.end(stop)
			for _, after := range []time.Duration{0, 9 * time.Second} {
				advance(after)
				if status, body := s.ready(http.HandlerFunc(noContent)); status != http.StatusServiceUnavailable || body != shuttingDown {
					t.Errorf("%v later ReadyHandler answers %d %s, want 503 %s", after, status, body, shuttingDown)
				}
				if got := s.get(); got != http.StatusNoContent {
					t.Errorf("%v later a request is answered %d, want 204", after, got)
				}
				if !otherRuns() {
					t.Errorf("%v later the Runner has ended", after)
				}
			}
			advance(time.Second)
			if err := <-s.ended; !errors.Is(err, test.want) {
				t.Errorf("Run = %v, want %v", err, test.want)
			}
			if got := s.get(); got != 0 {
				t.Errorf("a request after the delay is answered %d, want none", got)
			}
			if otherRuns() {
				t.Error("the Runner has not ended")
			}
			if status, _ := s.ready(nil); status != http.StatusServiceUnavailable {
				t.Errorf("ReadyHandler answers %d after Run, want 503", status)
			}
		})
	}
}

func TestServiceWithoutAServerHasNoDelay(t *testing.T) {
	for name, end := range map[string]func(s testService){
		"the listener fails":               func(s testService) { _ = s.l.Close() },
		"the caller shuts the server down": func(s testService) { _ = s.Server.Shutdown(context.Background()) },
	} {
		synctestRun(t, name, func(t *testing.T) {
			s := startService(t.Context(), noContent)
			start := time.Now()
			end(s)
			<-s.ended
			if took := time.Since(start); took != 0 {
				t.Errorf("Run returned after %v, want at once", took)
			}
		})
	}
}

func TestServiceCutsOffRequestsAfterShutdownTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := startService(ctx, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		cut := make(chan int, 1)
		go func() { cut <- s.get() }()
		synctest.Wait()
		stop()
		start := time.Now()
		if err := <-s.ended; !errors.Is(err, webhook.ErrShutdown) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrShutdown)
		}
		if took := time.Since(start); took != 13*time.Second {
			t.Errorf("Run returned after %v, want ShutdownDelay and ShutdownTimeout", took)
		}
		if got := <-cut; got != 0 {
			t.Errorf("the request is answered %d, want none", got)
		}
	})
}

func TestReadyHandlerCallsNextWhileReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := testService{Service: &webhook.Service{}}
		status, body := before.ready(http.HandlerFunc(noContent))
		if want := `{"ok":false,"problems":["service has not started"]}`; status != http.StatusServiceUnavailable || body != want {
			t.Errorf("before Run ReadyHandler answers %d %s, want 503 %s", status, body, want)
		}
		ctx, stop := context.WithCancel(t.Context())
		s := startService(ctx, noContent)
		if status, _ := s.ready(http.HandlerFunc(noContent)); status != http.StatusNoContent {
			t.Errorf("ReadyHandler answers %d, want the 204 of next", status)
		}
		var report map[string]any
		_, body = s.ready(nil)
		if err := json.Unmarshal([]byte(body), &report); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[string]any{"ok": true}, report); diff != "" {
			t.Errorf("without next (-want +got):\n%s", diff)
		}
		stop()
		<-s.ended
	})
}

func TestServiceServesTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s := &webhook.Service{Server: &http.Server{Handler: http.HandlerFunc(noContent)}, Listener: l, TLS: true}
		s.Server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		client := l.client()
		client.Transport.(*http.Transport).TLSClientConfig = certified.Client().Transport.(*http.Transport).TLSClientConfig
		res, err := client.Get("https://example.com/")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNoContent || res.TLS == nil {
			t.Errorf("the answer is %d with TLS %v, want 204 with TLS", res.StatusCode, res.TLS != nil)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

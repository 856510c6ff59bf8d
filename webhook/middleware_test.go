package webhook_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// mwPush is a payload for Decode.
type mwPush struct {
	Ref string `json:"ref"`
}

func (mwPush) EventType() string { return "acme.push" }

// mwQuiet redirects the log of Middleware to a buffer.
func mwQuiet(t *testing.T) *recvLog {
	t.Helper()
	before := slog.Default()
	logger, log := recvLogger()
	slog.SetDefault(logger)
	t.Cleanup(func() { slog.SetDefault(before) })
	return log
}

func TestMiddlewarePassesOnARequestLikeTheOriginal(t *testing.T) {
	log := mwQuiet(t)
	src := recvSource()
	for name, announced := range map[string]bool{"announced": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			h := src.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != `{"ref":"main"}` || r.ContentLength != int64(len(body)) {
					t.Errorf("body %q, length %d, %v", body, r.ContentLength, err)
				}
				if r.PathValue("x") != "y" || r.Header.Get("X-Event") != "push" {
					t.Error("the request lost its path value or header")
				}
				d, ok := webhook.DeliveryFromContext(r.Context())
				if !ok || d.Type != "acme.push" {
					t.Fatalf("DeliveryFromContext = %v, %v", d, ok)
				}
				e, err := webhook.Decode[mwPush](d)
				if err != nil || e.Payload.Ref != "main" || e.Delivery != d {
					t.Errorf("Decode = %v, %v", e, err)
				}
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, "my own answer")
			}))
			mux := http.NewServeMux()
			mux.Handle("/hooks/{x}", h)
			r := recvRequest(t, src, `{"ref":"main"}`)
			r.URL.Path = "/hooks/y"
			if !announced {
				r.ContentLength = -1
			}
			w := recvServe(mux, r)
			if w.Code != http.StatusTeapot || w.Body.String() != "my own answer" {
				t.Errorf("answer %d %q, want next's", w.Code, w.Body)
			}
		})
	}
	if log.String() != "" {
		t.Errorf("success is logged: %s", log)
	}
}

func TestMiddlewareRefuses(t *testing.T) {
	src := recvSource()
	src.MaxBody = 100
	src.ContentTypes = []string{"application/json"}
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"no signature", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		{"another body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) }, 401},
		{"GET", func(r *http.Request) { r.Method = "GET" }, 405},
		{"too large", func(r *http.Request) { r.ContentLength = 101 }, 413},
		{"another type", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := mwQuiet(t)
			h := src.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("next ran") }))
			r := recvRequest(t, src, "{}")
			tt.change(r)
			w := recvServe(h, r)
			if w.Code != tt.status || w.Body.String() != http.StatusText(tt.status)+"\n" {
				t.Errorf("answer %d %q, want %d", w.Code, w.Body, tt.status)
			}
			if len(log.lines(t)) != 1 {
				t.Errorf("log %s, want one line", log)
			}
		})
	}
	verifierPanics(t, "a nil next", func() { src.Middleware(nil) })
}

func TestMiddlewareReleasesItsBudgetWhenNextPanics(t *testing.T) {
	src := recvSource()
	src.MaxBody = 16 << 10
	src.Budget = webhook.NewBudget(64 << 10)
	h := src.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	for range 20 { // five of them would use up the Budget
		verifierPanics(t, "next", func() { h.ServeHTTP(httptest.NewRecorder(), recvRequest(t, src, strings.Repeat("x", 16000))) })
	}
}

func TestDecodeAfterMiddlewareReturnsErrMalformed(t *testing.T) {
	src := recvSource()
	h := src.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		_, err := webhook.Decode[mwPush](d)
		if !errors.Is(err, webhook.ErrMalformed) {
			t.Errorf("Decode = %v, want ErrMalformed", err)
		}
		w.WriteHeader(webhook.StatusCode(err))
	}))
	if w := recvServe(h, recvRequest(t, src, "{")); w.Code != http.StatusBadRequest {
		t.Errorf("answer %d, want 400", w.Code)
	}
}

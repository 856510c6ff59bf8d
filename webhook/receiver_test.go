package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// Shared by the tests of receiving.

const recvSecret = "It's a Secret to Everybody"

var recvOK = webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil })

// recvMustNotRun is a Handler that must not be called.
func recvMustNotRun(t testing.TB) webhook.Handler {
	return webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		t.Errorf("the handler ran, with %d bytes", len(d.Body))
		return nil
	})
}

// recvSend is a Handler that sends its deliveries to c.
func recvSend(c chan<- *webhook.Delivery) webhook.Handler {
	return webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		c <- d
		return nil
	})
}

// recvFails is a Handler that returns err.
func recvFails(err error) webhook.Handler {
	return webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return err })
}

// A recvLog is a log with one JSON object per line.
type recvLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *recvLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *recvLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines decodes the log.
func (l *recvLog) lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(l.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, m)
	}
	return lines
}

func recvLogger() (*slog.Logger, *recvLog) {
	l := new(recvLog)
	return slog.New(slog.NewJSONHandler(l, nil)), l
}

// recvSource signs as GitHub does and reads ID, type and ordering key from headers.
func recvSource() webhook.Source {
	return webhook.Source{
		Name: "acme",
		Verifier: &webhook.HMAC{
			Header: "X-Hub-Signature-256",
			Prefix: "sha256=",
			Keys:   webhook.Keys(webhook.NewSecret(recvSecret)),
		},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			about := webhook.Description{ID: r.Header.Get("X-Delivery"), OrderingKey: r.Header.Get("X-Key"), DedupBySignature: true}
			if e := r.Header.Get("X-Event"); e != "" {
				about.Type = "acme." + e
			}
			return about
		},
	}
}

// recvRequest is an authentic request for src.
func recvRequest(t testing.TB, src webhook.Source, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("POST", "/hooks/acme", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Event", "push")
	r.Header.Set("X-Delivery", "id-1")
	if err := src.Verifier.(webhook.Signer).Sign(r, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return r
}

func recvServe(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestReceiverPassesTheDeliveryToItsHandler(t *testing.T) {
	src := recvSource()
	got := make(chan *webhook.Delivery, 1)
	rc := webhook.NewReceiver(src, recvSend(got))
	var log *recvLog
	rc.Logger, log = recvLogger()
	r := recvRequest(t, src, `{"a": 1}`)
	r.Header.Set("X-Key", "k")
	w := recvServe(rc, r)
	d := <-got
	if w.Code != http.StatusAccepted || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != `{"uid":"`+d.UID+"\"}\n" {
		t.Errorf("answer %d %v %q", w.Code, w.Header(), w.Body)
	}
	want := &webhook.Delivery{
		UID: d.UID, Source: "acme", ID: "id-1", Type: "acme.push", OrderingKey: "k", KeyLabel: "1",
		DedupKeys: []string{"id:id-1", "mac:" + strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")},
		Header:    r.Header, Body: []byte(`{"a": 1}`), ReceivedAt: d.ReceivedAt,
	}
	if diff := cmp.Diff(want, d, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".routing" }, cmp.Ignore())); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
	if log.String() != "" {
		t.Errorf("success is logged: %s", log)
	}
}

func TestReceiverAnswersByOutcome(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		status     int
		body       string // of a 202; %s stands for the delivery's UID
		retryAfter string
	}{
		{"success", nil, 202, `{"uid":"%s"}`, ""},
		{"ignored", webhook.ErrIgnored, 202, `{"uid":"%s"}`, ""},
		{"no handler", webhook.ErrNoHandler, 202, `{"uid":"%s"}`, ""},
		{"a duplicate", webhook.ErrDuplicate, 202, `{"uid":"%s","duplicate":true}`, ""},
		{"a known duplicate", &webhook.DuplicateError{UID: "first", State: webhook.Dead}, 202, `{"uid":"first","duplicate":true,"state":"dead"}`, ""},
		{"a UID that needs escaping", &webhook.DuplicateError{UID: "\"\x00", State: webhook.Done}, 202, `{"uid":"\"\u0000","duplicate":true,"state":"done"}`, ""},
		{"malformed", fmt.Errorf("acme: %w", webhook.ErrMalformed), 400, "", ""},
		{"later", webhook.RetryAfter(90*time.Second, io.EOF), 503, "", "90"},
		{"a little later", webhook.RetryAfter(1500*time.Millisecond, io.EOF), 503, "", "2"},
		{"now", webhook.RetryAfter(-1, io.EOF), 503, "", "0"},
		{"in three centuries", webhook.RetryAfter(math.MaxInt64, io.EOF), 503, "", "9223372037"},
		{"overloaded", webhook.ErrOverloaded, 503, "", "5"},
		{"not stored", fmt.Errorf("%w: %w", webhook.ErrNotStored, io.EOF), 503, "", "5"},
		{"permanent", webhook.Permanent(io.EOF), 500, "", ""},
		{"anything else", io.EOF, 500, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := recvSource()
			var d *webhook.Delivery
			rc := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, got *webhook.Delivery) error {
				d = got
				return tt.err
			}))
			var log *recvLog
			rc.Logger, log = recvLogger()
			w := recvServe(rc, recvRequest(t, src, "{}"))
			want := http.StatusText(tt.status) + "\n"
			if tt.status == 202 {
				want = strings.Replace(tt.body, "%s", d.UID, 1) + "\n"
			}
			if w.Code != tt.status || w.Body.String() != want || w.Header().Get("Retry-After") != tt.retryAfter {
				t.Errorf("answer %d %q, Retry-After %q, want %d %q, %q", w.Code, w.Body, w.Header().Get("Retry-After"), tt.status, want, tt.retryAfter)
			}
			lines := log.lines(t)
			if tt.status == 202 && !errors.Is(tt.err, webhook.ErrNoHandler) {
				if len(lines) != 0 {
					t.Errorf("success is logged: %s", log)
				}
				return
			}
			if len(lines) != 1 || lines[0]["reason"] != tt.err.Error() ||
				lines[0]["delivery"].(map[string]any)["uid"] != d.UID {
				t.Errorf("log %s, want the reason once, with the delivery", log)
			}
		})
	}
}

func TestPromise1_WhatCannotBeStoredIsNotAcknowledged(t *testing.T) {
	for name, err := range map[string]error{
		"a failing disk":                     io.ErrShortWrite,
		"an error that looks like a success": webhook.ErrIgnored,
		"a lost client":                      context.Canceled,
		"a full inbox":                       webhook.ErrOverloaded,
	} {
		t.Run(name, func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, webhook.Store(recvInbox{err}))
			var log *recvLog
			rc.Logger, log = recvLogger()
			w := recvServe(rc, recvRequest(t, src, "{}"))
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("answer %d, Retry-After %q, want 503 with one", w.Code, w.Header().Get("Retry-After"))
			}
			if strings.Count(log.String(), err.Error()) != 1 {
				t.Errorf("log %s, want the reason once", log)
			}
		})
	}
}

// recvInbox fails every Put. Its other methods are not used.
type recvInbox struct{ err error }

func (in recvInbox) Put(context.Context, *webhook.Delivery) error { return in.err }
func (in recvInbox) Claim(context.Context, webhook.ClaimOptions) ([]webhook.Claim, error) {
	return nil, in.err
}
func (in recvInbox) Extend(context.Context, webhook.Claim, time.Duration) error { return in.err }
func (in recvInbox) Begin(context.Context, webhook.Claim) (webhook.Claim, error) {
	return webhook.Claim{}, in.err
}
func (in recvInbox) Settle(context.Context, webhook.Claim, webhook.Outcome) (webhook.State, error) {
	return "", in.err
}

// A volatileHandler stores nothing. The func is its Volatile method.
type volatileHandler func() bool

func (volatileHandler) Handle(context.Context, *webhook.Delivery) error { return nil }
func (h volatileHandler) Volatile() bool                                { return h() }

func TestPromise1_VolatileStoreIsReportedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		handler webhook.Handler
		lines   int
	}{
		"bare":                    {webhook.Store(new(webhook.MemInbox)), 1},
		"recovered":               {webhook.Recover(webhook.Store(new(webhook.MemInbox))), 1},
		"timed":                   {webhook.Timeout(time.Second, webhook.Recover(webhook.Store(new(webhook.MemInbox)))), 1},
		"embedded":                {webhook.Store(struct{ *webhook.MemInbox }{new(webhook.MemInbox)}), 1},
		"hidden":                  {webhook.Store(struct{ webhook.Inbox }{new(webhook.MemInbox)}), 0},
		"no inbox":                {webhook.HandlerFunc(succeed), 0},
		"a Handler that says yes": {volatileHandler(func() bool { return true }), 1},
		"a Handler that says no":  {volatileHandler(func() bool { return false }), 0},
		"a Handler that panics":   {volatileHandler(func() bool { panic("boom") }), 0},
	} {
		t.Run(name, func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, tt.handler)
			var log *recvLog
			rc.Logger, log = recvLogger()
			for i := range 3 {
				if w := recvServe(rc, recvRequest(t, src, fmt.Sprint(i))); w.Code != http.StatusAccepted {
					t.Fatalf("answer %d", w.Code)
				}
			}
			if got := warned(t, log, "memory only"); len(got) != tt.lines || len(log.lines(t)) != tt.lines {
				t.Errorf("log %s, want %d warnings", log, tt.lines)
			}
		})
	}
}

func TestReceiverObserver(t *testing.T) {
	src := recvSource()
	var seen []string
	observer := &webhook.Observer{
		Rejected: func(_ context.Context, source string, status int, reason error) {
			seen = append(seen, fmt.Sprintf("rejected %s %d %t", source, status, errors.Is(reason, webhook.ErrUnverified)))
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, took time.Duration) {
			seen = append(seen, fmt.Sprintf("received %s %v %t", d.Type, err, took >= 0))
		},
	}
	for _, h := range []webhook.Handler{recvOK, recvFails(io.EOF)} {
		rc := webhook.NewReceiver(src, h)
		rc.Logger, _ = recvLogger()
		rc.Observer = observer
		recvServe(rc, recvRequest(t, src, "{}"))
		recvServe(rc, httptest.NewRequest("POST", "/", nil))
		recvServe(rc, httptest.NewRequest("GET", "/", nil))
	}
	want := []string{
		"received acme.push <nil> true", "rejected acme 401 true", "rejected acme 405 false",
		"received acme.push EOF true", "rejected acme 401 true", "rejected acme 405 false",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

func TestNewReceiverPanicsOnMisuse(t *testing.T) {
	verifierPanics(t, "a nil Handler", func() { webhook.NewReceiver(recvSource(), nil) })
	verifierPanics(t, "a Source without name", func() {
		src := recvSource()
		src.Name = ""
		webhook.NewReceiver(src, recvOK)
	})
}

func TestPromise11_TheLogNamesThePatternNotThePath(t *testing.T) {
	const token = "the-secret-token"
	v := &webhook.Token{PathValue: "token", Keys: webhook.Keys(webhook.NewSecret(token))}
	src := webhook.Source{Name: "acme", Verifier: v}
	fails := webhook.NewReceiver(src, recvFails(io.EOF))
	logger, log := recvLogger()
	fails.Logger = logger
	before := slog.Default()
	slog.SetDefault(logger) // Middleware has no Logger
	defer slog.SetDefault(before)
	mux := http.NewServeMux()
	mux.Handle("/a/{token}", fails)
	mux.Handle("/b/{token}", src.Middleware(http.NotFoundHandler()))
	for _, r := range []*http.Request{
		httptest.NewRequest("POST", "/a/"+token, strings.NewReader("x")),
		httptest.NewRequest("POST", "/a/"+token+"x", strings.NewReader("x")),
		httptest.NewRequest("GET", "/a/"+token, nil),
		httptest.NewRequest("POST", "/b/"+token+"x", strings.NewReader("x")),
		httptest.NewRequest("GET", "/b/"+token, nil),
	} {
		recvServe(mux, r)
	}
	lines := log.lines(t)
	if len(lines) != 5 || strings.Contains(log.String(), token) {
		t.Errorf("log %s, want 5 lines without the token", log)
	}
	for i, line := range lines {
		if want := []string{"/a/{token}", "/a/{token}", "/a/{token}", "/b/{token}", "/b/{token}"}[i]; line["pattern"] != want {
			t.Errorf("line %d has pattern %v, want %s", i, line["pattern"], want)
		}
	}
}

func TestPromise11_TheSignatureIsNotLogged(t *testing.T) {
	src := recvSource()
	for name, h := range map[string]webhook.Handler{
		"a failure": recvFails(io.EOF),
		"a panic":   webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { panic("x") }),
	} {
		rc := webhook.NewReceiver(src, h)
		var log *recvLog
		rc.Logger, log = recvLogger()
		r := recvRequest(t, src, "{}")
		recvServe(rc, r)
		mac := strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
		if strings.Contains(log.String(), mac) || len(log.lines(t)) != 1 {
			t.Errorf("%s: log %s, want one line without the signature", name, log)
		}
	}
}

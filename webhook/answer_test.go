package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// hsAnswers returns a Receiver that gives one answer to whatever comes.
func hsAnswers(t *testing.T, a *webhook.Answer) (*webhook.Receiver, *recvLog) {
	src := recvSource()
	src.Handshake = func(*http.Request, []byte, *webhook.Proof) *webhook.Answer { return a }
	rc := webhook.NewReceiver(src, recvMustNotRun(t))
	log := new(recvLog)
	rc.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return rc, log
}

func TestAnswerIsSentWithSafeHeaders(t *testing.T) {
	const plain, noStore = "text/plain; charset=utf-8", "no-store"
	for _, tt := range []struct {
		name   string
		answer webhook.Answer
		status int
		header http.Header
		body   string
	}{
		{"the zero value", webhook.Answer{}, 200, http.Header{"Cache-Control": {noStore}}, ""},
		{"a body", webhook.Answer{Body: []byte("<html>")}, 200, http.Header{"Cache-Control": {noStore}, "Content-Type": {plain}}, "<html>"},
		{"its own headers", webhook.Answer{Status: 299, Header: http.Header{
			"content-type": {"application/json"}, "CACHE-control": {"private"}, "X-A": {"1", "2"},
			"X-Content-Type-Options": {"off"}}, Body: []byte("{}")},
			299, http.Header{"Cache-Control": {"private"}, "Content-Type": {"application/json"}, "X-A": {"1", "2"}}, "{}"},
		{"names without values", webhook.Answer{Header: http.Header{"Content-Type": nil, "cache-control": {}, "X-A": nil}, Body: []byte("<html>")},
			200, http.Header{"Cache-Control": {noStore}, "Content-Type": {plain}}, "<html>"},
		{"no content", webhook.Answer{Status: 204}, 204, http.Header{"Cache-Control": {noStore}}, ""},
		{"the longest body", webhook.Answer{Body: make([]byte, 64<<10)}, 200,
			http.Header{"Cache-Control": {noStore}, "Content-Type": {plain}}, string(make([]byte, 64<<10))},
		{"a refusal", webhook.Answer{Status: 403, Body: []byte("no")}, 403,
			http.Header{"Cache-Control": {noStore}, "Content-Type": {plain}}, "no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rc, _ := hsAnswers(t, &tt.answer)
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", "text/html") // of a handler around the Receiver
			rc.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			tt.header.Set("X-Content-Type-Options", "nosniff")
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("answer %d %.100q, want %d", w.Code, w.Body, tt.status)
			}
			if diff := cmp.Diff(tt.header, w.Header()); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultyAnswerIsNotSent(t *testing.T) {
	header := func(name, value string) webhook.Answer {
		return webhook.Answer{Header: http.Header{name: {value}}}
	}
	for _, tt := range []struct {
		answer webhook.Answer
		fault  string
	}{
		{webhook.Answer{Status: 302}, "the Answer's Status 302 is a redirect"},
		{webhook.Answer{Status: 300}, "the Answer's Status 300 is a redirect"},
		{webhook.Answer{Status: 399}, "the Answer's Status 399 is a redirect"},
		{webhook.Answer{Status: 101}, "the Answer's Status 101 is not from 200 to 299 or from 400 to 599"},
		{webhook.Answer{Status: 600}, "the Answer's Status 600 is not"},
		{webhook.Answer{Status: -1}, "the Answer's Status -1 is not"},
		{webhook.Answer{Body: make([]byte, 64<<10+1)}, "the Answer's Body has 65537 bytes, 65536 are allowed"},
		{webhook.Answer{Status: 204, Body: []byte("x")}, "the Answer's Body has 1 bytes, and its Status 204 allows none"},
		{header("location", "https://example.com"), "the Answer's Header has Location, which is not allowed"},
		{header("Set-Cookie", "a=b"), "the Answer's Header has Set-Cookie, which is not allowed"},
		{header("Refresh", "0; url=/"), "the Answer's Header has Refresh"},
		{header("Content-Length", "3"), "the Answer's Header has Content-Length"},
		{header("TRANSFER-encoding", "chunked"), "the Answer's Header has Transfer-Encoding"},
		{header("X A", "b"), `the Answer's Header has "X A", which is not a name`},
		{header("", "b"), `the Answer's Header has "", which is not a name`},
		{header("X-A", "b\r\nSet-Cookie: c"), "the Answer's Header X-A has a value that is not printable ASCII at byte 1"},
		{header("X-A", "\x7f"), "the Answer's Header X-A has a value that is not"},
		{header("X-A", "é"), "the Answer's Header X-A has a value that is not"},
		{header("X-A", strings.Repeat("b", 8<<10-2)), "the Answer's Header has 8193 bytes, 8192 are allowed"},
		{webhook.Answer{Header: http.Header{"x-a": {"b"}, "X-A": {"c"}}}, "the Answer's Header has X-A in two spellings"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			rc, log := hsAnswers(t, &tt.answer)
			w := recvServe(rc, httptest.NewRequest("GET", "/", nil))
			if w.Code != 500 || w.Body.String() != "Internal Server Error\n" || w.Header().Get("Location") != "" {
				t.Errorf("answer %d %v %q, want 500", w.Code, w.Header(), w.Body)
			}
			lines := log.lines(t)
			if len(lines) != 1 || lines[0]["level"] != "ERROR" || !strings.HasPrefix(lines[0]["reason"].(string), "acme: Handshake: "+tt.fault) {
				t.Errorf("log %s, want one error", log)
			}
		})
	}
}

// A panic is contained in each stage, and nothing of it is sent.
func TestPanicOfHandshakeIsContained(t *testing.T) {
	for _, verified := range []bool{false, true} {
		src := recvSource()
		src.Handshake = func(_ *http.Request, _ []byte, proof *webhook.Proof) *webhook.Answer {
			if verified == (proof != nil) {
				panic("a bug")
			}
			return nil
		}
		rc := webhook.NewReceiver(src, recvMustNotRun(t))
		var log *recvLog
		rc.Logger, log = recvLogger()
		w := recvServe(rc, recvRequest(t, src, "{}"))
		lines := log.lines(t)
		if w.Code != 500 || w.Body.String() != "Internal Server Error\n" {
			t.Errorf("answer %d %q, want 500", w.Code, w.Body)
		}
		if len(lines) != 1 || !strings.HasSuffix(lines[0]["reason"].(string), "handler panicked: a bug") || lines[0]["stack"] == nil {
			t.Errorf("log %s, want one line with the stack", log)
		}
	}
}

// An answer is logged at level Debug, and one that refuses as a refusal, which an
// Observer gets too.
func TestAnsweredHandshakeIsReported(t *testing.T) {
	for _, tt := range []struct {
		status, stage          int // 1 is unverified
		level, message, reason string
		cause                  error
	}{
		{204, 1, "DEBUG", "webhook handshake answered", "", nil},
		{204, 2, "DEBUG", "webhook handshake answered", "", nil},
		{403, 1, "WARN", "webhook refused", `acme: webhook: not verified: the handshake answered 403: "why"`, webhook.ErrUnverified},
		{400, 2, "WARN", "webhook refused", `acme: webhook: malformed: the handshake answered 400: "why"`, webhook.ErrMalformed},
		{503, 2, "ERROR", "webhook refused", `acme: webhook: overloaded: the handshake answered 503: "why"`, webhook.ErrOverloaded},
	} {
		a := &webhook.Answer{Status: tt.status}
		if tt.status >= 400 {
			a.Body = []byte("why")
		}
		rc, log := hsAnswers(t, a)
		r := httptest.NewRequest("GET", "/", nil)
		if tt.stage == 2 {
			r = recvRequest(t, recvSource(), strings.Repeat(" ", 2000)) // too long for the first stage
		}
		var observed []error
		rc.Observer = &webhook.Observer{
			Rejected: func(_ context.Context, source string, status int, reason error) {
				if source != "acme" || status != tt.status {
					t.Errorf("observed %d of %s, want %d", status, source, tt.status)
				}
				observed = append(observed, reason)
			},
			Received: func(_ context.Context, d *webhook.Delivery, _ error, _ time.Duration) { t.Errorf("observed %v", d) },
		}
		if w := recvServe(rc, r); w.Code != tt.status || w.Body.String() != string(a.Body) {
			t.Errorf("answer %d %q, want %d", w.Code, w.Body, tt.status)
		}
		line := log.lines(t)[0]
		if len(log.lines(t)) != 1 || line["level"] != tt.level || line["msg"] != tt.message || line["source"] != "acme" {
			t.Errorf("log %s, want %s %q", log, tt.level, tt.message)
		}
		if tt.cause == nil {
			if len(observed) != 0 || line["verified"] != (tt.stage == 2) {
				t.Errorf("observed %v, log %s", observed, log)
			}
		} else if len(observed) != 1 || !errors.Is(observed[0], tt.cause) || line["reason"] != tt.reason {
			t.Errorf("observed %v, log %s, want %s", observed, log, tt.reason)
		}
	}
}

// Open takes a request whose body has been read, and leaves handshakes to its caller.
func TestOpenDoesNotCallHandshake(t *testing.T) {
	src := recvSource()
	src.Handshake = func(*http.Request, []byte, *webhook.Proof) *webhook.Answer {
		t.Error("Handshake was called")
		return new(webhook.Answer)
	}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	if d, err := src.Open(recvRequest(t, src, "{}"), []byte("{}")); err != nil || d.Type != "acme.push" {
		t.Errorf("Open = %v, %v", d, err)
	}
}

// Requests may share an Answer, whatever a handler around the Receiver adds.
func TestAnswerMayBeShared(t *testing.T) {
	a := &webhook.Answer{Header: http.Header{"X-A": append(make([]string, 0, 8), "1")}}
	rc, _ := hsAnswers(t, a)
	for range 2 {
		w := recvServe(rc, httptest.NewRequest("GET", "/", nil))
		w.Header().Add("X-A", "2")
		w.Header()["X-A"][0] = "3"
	}
	if diff := cmp.Diff([]string{"1"}, a.Header["X-A"]); diff != "" || len(a.Header) != 1 {
		t.Errorf("the Answer changed (-want +got):\n%s", diff)
	}
}

package webhook_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func badSign(body string) string {
	mac := hmac.New(sha256.New, []byte(recvSecret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// A badCall is a request as it is sent over the wire.
type badCall struct {
	method  string   // if empty, POST
	headers []string // besides Host and those below
	sig     []string // values of the signature header; if nil, the right one
	body    string
	length  int  // Content-Length; if zero, that of the body
	chunked bool // without Content-Length
	ends    bool // the sender closes its side after the body
}

// send sends the request to the server and reads the answer.
func (c badCall) send(t testing.TB, addr string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { // the server may answer, and close, before it has read all
		_, _ = conn.Write([]byte(c.text()))
		if c.ends {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func (c badCall) text() string {
	method := c.method
	if method == "" {
		method = "POST"
	}
	sig := c.sig
	if sig == nil {
		sig = []string{"sha256=" + badSign(c.body)}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s /hooks/acme HTTP/1.1\r\nHost: acme.example\r\n", method)
	for _, s := range sig {
		fmt.Fprintf(&b, "X-Hub-Signature-256: %s\r\n", s)
	}
	for _, h := range c.headers {
		b.WriteString(h + "\r\n")
	}
	switch {
	case c.chunked:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(c.body), c.body)
		if !c.ends {
			b.WriteString("0\r\n\r\n")
		}
	case c.length != 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", c.length, c.body)
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
	}
	return b.String()
}

const badPush = "X-Event: push"

func TestBadInput(t *testing.T) {
	right := badSign("{}")
	isForm := []string{"Content-Type: " + formType, badPush}
	large := `{"ref":"` + strings.Repeat("x", 900_000) + `"}`
	fails := func(err error) webhook.Handler { return recvFails(err) }
	panics := webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { panic("a bug") })
	describePanics := func(s *webhook.Source) {
		s.Describe = func(*http.Request, []byte) webhook.Description { panic("a bug") }
	}
	verifyPanics := func(s *webhook.Source) {
		s.Verifier = verifierFunc(func(*http.Request, []byte) (webhook.Proof, error) { panic("a bug") })
	}
	onlyJSON := func(s *webhook.Source) { s.ContentTypes = []string{"application/json"} }
	small := func(s *webhook.Source) { s.MaxBody = 10 }
	tests := []struct {
		name    string
		call    badCall
		source  func(*webhook.Source) // if nil, the Source is not changed
		handler webhook.Handler       // if nil, a Mux with a typed callback
		status  int
		reason  string // logged once; if empty, nothing is logged
		header  string // "Name: value" of the answer
		runs    bool   // the typed callback runs
	}{
		{name: "nothing wrong", call: badCall{body: "{}", headers: []string{badPush}}, status: 202, runs: true},

		{name: "no signature", call: badCall{body: "{}", sig: []string{}}, status: 401, reason: "no X-Hub-Signature-256 header"},
		{name: "an empty signature", call: badCall{body: "{}", sig: []string{""}}, status: 401, reason: "does not begin with"},
		{name: "a wrong signature", call: badCall{body: "{}", sig: []string{"sha256=" + badSign("[]")}}, status: 401, reason: "matches no live key (1 tried)"},
		{name: "a signature cut short", call: badCall{body: "{}", sig: []string{"sha256=" + right[:63]}}, status: 401, reason: "not a digest of 32 bytes"},
		{name: "a signature too long", call: badCall{body: "{}", sig: []string{"sha256=" + right + "0"}}, status: 401, reason: "not a digest of 32 bytes"},
		{name: "a signature after a colon", call: badCall{body: "{}", sig: []string{"sha256:" + right}}, status: 401, reason: "does not begin with"},
		{name: "a signature that is not hexadecimal", call: badCall{body: "{}", sig: []string{"sha256=x" + right[1:]}}, status: 401, reason: "not a digest of 32 bytes"},
		{name: "a signature in upper case", call: badCall{body: "{}", headers: []string{badPush}, sig: []string{"sha256=" + strings.ToUpper(right)}}, status: 202, runs: true},
		{name: "two signatures", call: badCall{body: "{}", sig: []string{"sha256=" + right, "sha256=" + right}}, status: 401, reason: "2 X-Hub-Signature-256 headers"},

		{name: "a body announced too large", call: badCall{body: "{}", length: 11}, source: small, status: 413, reason: "11 bytes announced, 10 allowed"},
		{name: "a body that turns out too large", call: badCall{body: strings.Repeat("x", 11), chunked: true}, source: small, status: 413, reason: "more than 10 bytes"},
		{name: "a body that turns out much too large", call: badCall{body: strings.Repeat("x", 3<<20), chunked: true}, status: 413, reason: "more than 1048576 bytes"},
		{name: "a body that does not come", call: badCall{body: "{}", length: 100}, status: 503, reason: "did not arrive in time", header: "Retry-After: 5"},
		{name: "a stranger's body that does not come", call: badCall{body: "{}", length: 100, sig: []string{}}, status: 401, reason: "no X-Hub-Signature-256 header"},
		{name: "a body that breaks off", call: badCall{body: "{}", length: 100, ends: true}, status: 400, reason: "broke off"},
		{name: "a chunked body that breaks off", call: badCall{body: "{}", chunked: true, ends: true}, status: 400, reason: "broke off"},
		{name: "no body", call: badCall{headers: []string{badPush}}, status: 400, reason: "unexpected end of JSON"},

		{name: "a form that breaks off", call: badCall{body: "payload=%7B%2", headers: isForm}, status: 400, reason: "badly encoded"},
		{name: "a form with two payloads", call: badCall{body: "payload=%7B%7D&payload=%7B%7D", headers: isForm}, status: 400, reason: "two payload fields"},
		{name: "a form without payload", call: badCall{body: "a=b", headers: isForm}, status: 400, reason: "no payload field"},
		{name: "a good form", call: badCall{body: "payload=%7B%7D", headers: isForm}, status: 202, runs: true},
		{name: "deep JSON", call: badCall{body: strings.Repeat("[", 1_000_000), headers: []string{badPush}}, status: 400, reason: "exceeded max depth"},
		{name: "huge JSON", call: badCall{body: large, headers: []string{badPush}}, status: 202, runs: true},
		{name: "JSON of another type", call: badCall{body: `{"ref":7}`, headers: []string{badPush}}, status: 400, reason: "cannot unmarshal number"},
		{name: "two documents", call: badCall{body: `{}{}`, headers: []string{badPush}}, status: 400, reason: "after top-level value"},
		{name: "a byte order mark", call: badCall{body: "\uFEFF{}", headers: []string{badPush}}, status: 400, reason: "invalid character"},
		{name: "invalid UTF-8", call: badCall{body: "{\"ref\":\"\xff\"}", headers: []string{badPush}}, status: 202, runs: true},

		{name: "no event header", call: badCall{body: "{}"}, status: 202, reason: "names its type is missing"},
		{name: "an event that nobody handles", call: badCall{body: "{}", headers: []string{"X-Event: other"}}, status: 202, reason: "no handler for type \"acme.other\""},
		{name: "an event header with NUL in the type", call: badCall{body: "{}", headers: []string{"X-Event: \xff"}}, status: 202, reason: "no handler for type"},
		{name: "GET", call: badCall{method: "GET", body: "{}"}, status: 405, reason: "method is not POST", header: "Allow: POST"},
		{name: "PUT", call: badCall{method: "PUT", body: "{}"}, status: 405, reason: "method is not POST", header: "Allow: POST"},
		{name: "an invented method", call: badCall{method: "post", body: "{}"}, status: 405, reason: "method is not POST", header: "Allow: POST"},
		{name: "another media type", call: badCall{body: "{}", headers: []string{"Content-Type: text/xml"}}, source: onlyJSON, status: 415, reason: `media type not supported: "text/xml", taken are application/json`},
		{name: "no media type", call: badCall{body: "{}"}, source: onlyJSON, status: 415, reason: "media type"},
		{name: "a stranger's media type", call: badCall{body: "{}", sig: []string{}}, source: onlyJSON, status: 401, reason: "no X-Hub-Signature-256 header"},

		{name: "a handler that panics", call: badCall{body: "{}"}, handler: panics, status: 500, reason: "handler panicked: a bug"},
		{name: "a handler that the runtime stops", call: badCall{body: "{}"}, handler: webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			return errors.New(string(d.Body[len(d.Body):][0]))
		}), status: 500, reason: "index out of range"},
		{name: "a handler that fails", call: badCall{body: "{}"}, handler: fails(io.EOF), status: 500, reason: "EOF"},
		{name: "a handler that asks for later", call: badCall{body: "{}"}, handler: fails(webhook.RetryAfter(time.Minute, io.EOF)), status: 503, reason: "EOF", header: "Retry-After: 60"},
		{name: "a handler that finds it malformed", call: badCall{body: "{}"}, handler: fails(webhook.ErrMalformed), status: 400, reason: "malformed"},
		{name: "an inbox that fails", call: badCall{body: "{}"}, handler: webhook.Store(recvInbox{io.ErrShortWrite}), status: 503, reason: "short write", header: "Retry-After: 5"},
		{name: "a Describe that panics", call: badCall{body: "{}", headers: []string{badPush}}, source: describePanics, status: 202, reason: "handler panicked: a bug"},
		{name: "a verifier that panics", call: badCall{body: "{}"}, source: verifyPanics, status: 500, reason: "handler panicked: a bug"},
		{name: "a budget that is used up", call: badCall{body: strings.Repeat("x", 20_000)}, source: usedUp(t), status: 503, reason: "no memory", header: "Retry-After: 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := recvSource()
			if tt.source != nil {
				tt.source(&src)
			}
			var ran atomic.Int32
			h := tt.handler
			if h == nil {
				var mux webhook.Mux
				webhook.On(&mux, func(context.Context, *webhook.Event[mwPush]) error {
					ran.Add(1)
					return nil
				})
				h = &mux
			}
			rc := webhook.NewReceiver(src, h)
			var log *recvLog
			rc.Logger, log = recvLogger()
			rc.ReadTimeout = 10 * time.Second
			if tt.call.length > len(tt.call.body) && !tt.call.ends {
				rc.ReadTimeout = 50 * time.Millisecond // the server would wait for the rest
			}
			server := httptest.NewServer(rc)
			defer server.Close()
			resp, text := tt.call.send(t, server.Listener.Addr().String())
			if resp.StatusCode != tt.status {
				t.Errorf("answer %s, want %d; log %s", resp.Status, tt.status, log)
			}
			if tt.status != 202 && text != http.StatusText(tt.status)+"\n" {
				t.Errorf("the sender gets %q, want the status text alone", text)
			}
			if name, value, ok := strings.Cut(tt.header, ": "); ok && resp.Header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, resp.Header.Get(name), value)
			}
			if (ran.Load() == 1) != tt.runs {
				t.Errorf("the callback ran %d times, want it to: %v", ran.Load(), tt.runs)
			}
			lines := log.lines(t)
			switch {
			case tt.reason == "":
				if len(lines) != 0 {
					t.Errorf("logged without need: %s", log)
				}
			case len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0]["reason"]), tt.reason) || tt.status != 202 && lines[0]["status"] != float64(tt.status):
				t.Errorf("log %s, want %q once, with status %d", log, tt.reason, tt.status)
			}
			if strings.Contains(log.String(), right) {
				t.Errorf("the log has a right signature: %s", log)
			}
		})
	}
}

// usedUp gives a Source a Budget of which another request holds so much that
// 20 000 bytes do not fit.
func usedUp(t *testing.T) func(*webhook.Source) {
	return func(src *webhook.Source) {
		src.Budget = webhook.NewBudget(64 << 10)
		src.MaxBody = 20_000
		holding, done := make(chan struct{}), make(chan struct{})
		h := webhook.NewReceiver(*src, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			close(holding)
			<-done
			return nil
		}))
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			recvServe(h, recvRequest(t, *src, strings.Repeat("x", 20_000)))
		}()
		<-holding
		t.Cleanup(func() {
			close(done)
			<-returned
		})
	}
}

func TestBadInputEmptySecretPanicsInTheConstructor(t *testing.T) {
	for name, keys := range map[string][]webhook.Key{
		"no key":          nil,
		"an empty secret": webhook.Keys(webhook.NewSecret("")),
		"a zero secret":   {{Label: "x"}},
	} {
		src := recvSource()
		src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Keys: keys}
		verifierPanics(t, name, func() { webhook.NewReceiver(src, recvOK) })
	}
}

// Behind an inbox an authentic but malformed body is acknowledged, stored, and dead
// with a reason.
func TestPromise8_MalformedBodiesAreStoredAndEndDead(t *testing.T) {
	src := recvSource()
	src.Describe = func(_ *http.Request, body []byte) webhook.Description {
		if string(body) == "panic" {
			panic("a bug")
		}
		about := webhook.Description{Type: "acme.push"}
		if string(body) == "malformed" {
			about.Malformed = errors.New("Describe says so")
		}
		return about
	}
	inbox := new(webhook.MemInbox)
	rc := webhook.NewReceiver(src, webhook.Store(inbox))
	rc.Logger, _ = recvLogger()
	bodies := map[string]string{ // and the Content-Type
		"{": "application/json", "": "application/json", "malformed": "text/plain",
		strings.Repeat("[", 1_000_000): "application/json", `{"ref":{}}`: "application/json",
		"a=b": formType, "payload=1&payload=2": formType, "payload=%": formType,
		"\xff\xfe": "application/json",
	}
	for body, contentType := range bodies {
		r := recvRequest(t, src, body)
		r.Header.Set("Content-Type", contentType)
		if w := recvServe(rc, r); w.Code != http.StatusAccepted {
			t.Fatalf("%.20q is answered %d, want 202: it is authentic", body, w.Code)
		}
	}
	if w := recvServe(rc, recvRequest(t, src, "panic")); w.Code != http.StatusAccepted {
		t.Fatalf("what panicked in Describe is answered %d, want 202", w.Code)
	}

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[mwPush]) error {
		t.Errorf("the callback ran for %.20q", e.Body)
		return nil
	})
	settled := make(chan webhook.Outcome)
	worker := webhook.NewWorker(inbox, &mux)
	worker.Logger, _ = recvLogger()
	worker.Observer = &webhook.Observer{Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
		if _, known := bodies[string(c.Delivery.Body)]; !known {
			t.Errorf("the stored body %.20q is none of those sent", c.Delivery.Body)
		}
		settled <- o
	}}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- worker.Run(ctx) }()
	for range bodies {
		o := <-settled
		if o.State != webhook.Dead || !strings.Contains(o.Reason, "malformed") {
			t.Errorf("settled as %s because %q, want dead and malformed", o.State, o.Reason)
		}
	}
	stop()
	<-ran
	stats := counts(t, inbox)
	if stats[webhook.Dead] != len(bodies) || stats[webhook.Waiting] != 1 {
		t.Errorf("kept %v, want %d dead and the one of unknown type waiting", stats, len(bodies))
	}
}

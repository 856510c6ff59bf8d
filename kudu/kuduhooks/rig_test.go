package kuduhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu/kuduhooks"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A rig is a site whose hooks are called in memory.
type rig struct {
	*kuduhooks.Handler
	publisher *publish.Publisher
	store     *publish.MemStore
	answer    http.HandlerFunc // of the hooks; nil means 200

	mu    sync.Mutex
	calls []call
}

// A call is a request that a hook has received.
type call struct {
	url    string
	header http.Header
	body   string
}

// newRig returns a site that lets everyone in.
func newRig() *rig {
	r := &rig{store: &publish.MemStore{}}
	log := slog.New(slog.DiscardHandler)
	r.publisher = publish.New(&webhook.MemInbox{Logger: log}, r.store)
	r.publisher.Transport, r.publisher.Logger = webhooktest.InMemory(http.HandlerFunc(r.receive)), log
	r.Handler = kuduhooks.New(r.publisher, open)
	return r
}

// open is a protect that refuses nobody.
func open(next http.Handler) http.Handler { return next }

func (r *rig) receive(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	r.calls = append(r.calls, call{"https://" + request.Host + request.URL.Path, request.Header.Clone(), string(body)})
	r.mu.Unlock()
	request.Body = io.NopCloser(bytes.NewReader(body))
	if r.answer != nil {
		r.answer(w, request)
	}
}

// run runs the Publisher until the end of the test.
func (r *rig) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.publisher.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// wait lets the hooks be called in fake time.
func wait() {
	catchuptest.Advance(time.Second)
}

// do makes a request with a JSON body and returns the answer.
func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// subscribe creates a hook and returns its id.
func subscribe(t *testing.T, h http.Handler, event, url string) string {
	t.Helper()
	w := do(h, "POST", "/api/hooks", `{"url":"`+url+`","event":"`+event+`"}`)
	var made struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return made.ID
}

package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// A rig is an inspector of an inbox in memory, mounted below /debug/hooks/.
type rig struct {
	t     *testing.T
	inbox *webhook.MemInbox
	*inspect.Inspector
	log bytes.Buffer
}

// ann lets everybody in as ann.
func ann(http.ResponseWriter, *http.Request) (string, bool) { return "ann", true }

func newRig(t *testing.T) *rig {
	t.Helper()
	inbox := &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}
	r := &rig{t: t, inbox: inbox}
	r.Inspector = r.inspector(inbox, ann)
	return r
}

func (r *rig) inspector(store inspect.Store, protect inspect.Protect) *inspect.Inspector {
	r.t.Helper()
	in, err := inspect.New(store, protect)
	if err != nil {
		r.t.Fatal(err)
	}
	in.Logger = slog.New(slog.NewTextHandler(&r.log, nil))
	return in
}

// serve answers a request as the handler of a ServeMux.
func (r *rig) serve(request *http.Request) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", r.Inspector)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, request)
	return w
}

// get gets a page, with what follows the place where the inspector is mounted.
func (r *rig) get(page string) *httptest.ResponseRecorder {
	return r.serve(httptest.NewRequest("GET", "/debug/hooks/"+page, nil))
}

// postJSON calls the API.
func (r *rig) postJSON(page, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/debug/hooks/"+page, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	return r.serve(request)
}

// put stores a delivery.
func (r *rig) put(d *webhook.Delivery) *webhook.Delivery {
	r.t.Helper()
	if err := r.inbox.Put(context.Background(), d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

// delivery returns one that is not stored yet.
func delivery(key, body string) *webhook.Delivery {
	return webhook.NewDelivery("shop", "shop.order", key, []byte(body))
}

// settle ends the next delivery of the inbox.
func (r *rig) settle(state webhook.State, reason string) {
	r.t.Helper()
	claims, err := r.inbox.Claim(context.Background(), webhook.ClaimOptions{})
	if err != nil || len(claims) != 1 {
		r.t.Fatalf("%d claims, %v", len(claims), err)
	}
	if _, err := r.inbox.Settle(context.Background(), claims[0], webhook.Outcome{State: state, Reason: reason}); err != nil {
		r.t.Fatal(err)
	}
}

// state returns the state of a delivery.
func (r *rig) state(d *webhook.Delivery) webhook.State {
	r.t.Helper()
	rec, err := r.inbox.Get(context.Background(), d.UID)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec.State
}

// decode reads the JSON of an answer with status 200.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// A listed is what the tests read of a list.
type listed struct {
	Deliveries []struct {
		UID, Key, State, Reason string
		Seq                     int64
	}
	Next       int64
	Partial    bool
	LookedBack string `json:"looked_back"`
}

func (l listed) keys() (keys []string) {
	for _, d := range l.Deliveries {
		keys = append(keys, d.Key)
	}
	return keys
}

// requireError requires a status and a text of the error.
func requireError(t *testing.T, w *httptest.ResponseRecorder, status int, text string) {
	t.Helper()
	if body := w.Body.String(); w.Code != status || !strings.Contains(body, text) {
		t.Errorf("%d %.300s, want %d and %q", w.Code, body, status, text)
	}
}

// fill stores n deliveries whose ordering keys are numbers.
func (r *rig) fill(n int) {
	r.t.Helper()
	for i := range n {
		r.put(delivery(fmt.Sprint(i), "{}"))
	}
}

func (r *rig) request(method, page, body string) *http.Request {
	return httptest.NewRequest(method, "/debug/hooks/"+page, strings.NewReader(body))
}

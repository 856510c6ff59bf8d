package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// waitTimeout is the timeout of all waits in tests.
const waitTimeout = 2 * time.Minute

// next receives the next value, and fails the test after waitTimeout.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(waitTimeout):
		t.Fatalf("timeout after %s", waitTimeout)
		panic("unreachable")
	}
}

// A fakeTarget is a fake of Slack or of the URL target.
type fakeTarget struct {
	url      string
	status   atomic.Int32         // status of responses; 0 means 200
	failOnly atomic.Value         // string; status applies only to bodies that contain it, or to all if not set
	gate     atomic.Pointer[gate] // blocks requests, if not nil
	requests chan struct{}        // one value for each request
	accepted chan request         // requests answered with 200
}

// A gate blocks requests.
type gate struct {
	arrived chan struct{} // one value for each request
	open    chan struct{} // closed to let the requests continue
}

type request struct {
	path, id string
	body     []byte
}

func newFakeTarget(t *testing.T) *fakeTarget {
	rc := &fakeTarget{requests: make(chan struct{}, 1000), accepted: make(chan request, 1000)}
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	rc.url = server.URL
	return rc
}

func (rc *fakeTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if g := rc.gate.Load(); g != nil {
		g.arrived <- struct{}{}
		<-g.open
	}
	rc.requests <- struct{}{}
	only, _ := rc.failOnly.Load().(string)
	if status := rc.status.Load(); status != 0 && bytes.Contains(body, []byte(only)) {
		w.WriteHeader(int(status))
		return
	}
	rc.accepted <- request{r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), body}
}

// notice returns the next notice of a URL target.
func (rc *fakeTarget) notice(t *testing.T) notice {
	t.Helper()
	var n notice
	if err := json.Unmarshal(next(t, rc.accepted).body, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// message returns the next message of Slack.
func (rc *fakeTarget) message(t *testing.T) slackBody {
	t.Helper()
	p := next(t, rc.accepted)
	var m slackBody
	d := json.NewDecoder(bytes.NewReader(p.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	return m
}

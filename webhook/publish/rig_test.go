package publish_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A rig is a Publisher in fake time, with everything in memory. Its fields may be changed
// before start.
type rig struct {
	*publish.Publisher
	t      *testing.T
	inbox  *webhook.MemInbox
	store  *publish.MemStore
	log    *bytes.Buffer
	logger *slog.Logger
	net    *network
	stop   context.CancelFunc
}

// newRig returns a Publisher that is not running.
func newRig(t *testing.T) *rig {
	t.Helper()
	log := &bytes.Buffer{}
	r := &rig{t: t, inbox: &webhook.MemInbox{}, store: &publish.MemStore{}, log: log, net: &network{hosts: make(map[string]host)}}
	r.logger = slog.New(slog.NewTextHandler(&lockedWriter{w: log}, nil))
	r.inbox.Logger = r.logger
	r.use(r.inbox, r.store)
	return r
}

// use makes the Publisher work with another outbox and another store.
func (r *rig) use(outbox webhook.Inbox, store publish.Store) {
	r.Publisher = publish.New(outbox, store)
	r.Publisher.Transport, r.Publisher.Logger = r.net, r.logger
}

// start runs the Publisher until the end of the test, or until stop is called.
func (r *rig) start() {
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
	r.t.Cleanup(r.stop)
}

// create registers an endpoint at https://<host>/ for all events.
func (r *rig) create(host string, change ...func(*publish.Endpoint)) *publish.Endpoint {
	r.t.Helper()
	e := publish.Endpoint{ID: host, URL: "https://" + host + "/", Events: []string{"*"}}
	for _, f := range change {
		f(&e)
	}
	created, err := r.Create(r.t.Context(), e)
	if err != nil {
		r.t.Fatal(err)
	}
	return created
}

// publish publishes an event and returns its ID.
func (r *rig) publish(e publish.Event) string {
	r.t.Helper()
	if e.Type == "" {
		e.Type = "comment.created"
	}
	id, err := r.Publish(r.t.Context(), e)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// attempts returns the recorded attempts of an endpoint, oldest first.
func (r *rig) attempts(endpoint string) (list []publish.Attempt) {
	r.t.Helper()
	for a, err := range r.Attempts(r.t.Context(), publish.AttemptFilter{Endpoint: endpoint}) {
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, a)
	}
	slices.Reverse(list)
	return list
}

// states counts the deliveries to an endpoint by their states.
func (r *rig) states(endpoint string) map[webhook.State]int {
	r.t.Helper()
	states := make(map[webhook.State]int)
	for rec, err := range r.inbox.All(r.t.Context(), webhook.Filter{Type: "publish.delivery"}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if strings.HasSuffix(rec.Delivery.UID, "-"+endpoint) {
			states[rec.State]++
		}
	}
	return states
}

// inBubble runs a test in fake time. Goroutines that are left behind fail it.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// advance moves fake time by d and waits until everything due has happened.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A call is a request that a host has received.
type call struct {
	at     time.Time
	host   string
	header http.Header
	body   string
	user   string // of Basic authentication
}

// A host answers requests. It must return when the context of the request ends.
type host func(r *http.Request, body []byte) (*http.Response, error)

// A network is a transport to hosts in memory.
type network struct {
	mu      sync.Mutex
	hosts   map[string]host
	calls   []call
	running map[string]int
	most    map[string]int // requests at a time
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	user, _, _ := r.BasicAuth()
	n.mu.Lock()
	n.calls = append(n.calls, call{time.Now(), r.URL.Host, r.Header.Clone(), string(body), user})
	h := n.hosts[r.URL.Host]
	if n.running == nil {
		n.running, n.most = make(map[string]int), make(map[string]int)
	}
	n.running[r.URL.Host]++
	n.most[r.URL.Host] = max(n.most[r.URL.Host], n.running[r.URL.Host])
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.running[r.URL.Host]--
	}()
	if h == nil {
		return status(200)(r, body)
	}
	return h(r, body)
}

// at makes a host answer; without it a host answers 200.
func (n *network) at(name string, h host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[name] = h
}

// to returns the requests that a host has received.
func (n *network) to(name string) (calls []call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.calls {
		if c.host == name {
			calls = append(calls, c)
		}
	}
	return calls
}

// mostAtOnce returns how many requests a host has had at a time.
func (n *network) mostAtOnce(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.most[name]
}

// status answers every request with a status, and headers in pairs.
func status(code int, header ...string) host {
	return func(*http.Request, []byte) (*http.Response, error) {
		h := make(http.Header)
		for i := 0; i+1 < len(header); i += 2 {
			h.Add(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("answer"))}, nil
	}
}

// hang answers no request.
func hang(r *http.Request, _ []byte) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// after answers as next does, later.
func after(d time.Duration, next host) host {
	return func(r *http.Request, body []byte) (*http.Response, error) {
		select {
		case <-time.After(d):
			return next(r, body)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

package githubtest

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A Hook is a webhook.
type Hook struct {
	URL    string
	Secret webhook.Secret // signs the calls; zero: they are not signed
	Form   bool           // the calls are forms
}

// A Delivery is a call that a hook has made.
type Delivery struct {
	ID          int64
	GUID        string
	DeliveredAt time.Time // when the call began, in whole seconds
	Duration    time.Duration
	Redelivery  bool
	Status      string // "OK", or why it failed
	StatusCode  int    // of the receiver's answer; zero if there was none
	Event       string
	Header      http.Header // as sent
	Body        []byte      // of the event, before it becomes a form
}

// A hook is a Hook with what it has sent.
type hook struct {
	Hook
	deliveries []Delivery // oldest first
}

// AddHook adds a hook with its path in the API, such as "repos/owner/repo/hooks/1",
// "orgs/organization/hooks/1" or "app/hook". A hook that has the path is replaced, and its
// deliveries stay.
func (s *Server) AddHook(path string, h Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hooks == nil {
		s.hooks = make(map[string]*hook)
	}
	if s.hooks[path] == nil {
		s.hooks[path] = new(hook)
	}
	s.hooks[path].Hook = h
}

// RemoveHook removes a hook and what it has sent, as GitHub does.
func (s *Server) RemoveHook(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hooks, path)
}

// Rename gives the hooks below a path, such as "repos/owner/old", another, such as
// "repos/owner/new". Requests with the old path are redirected.
func (s *Server) Rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renamed == nil {
		s.renamed = make(map[string]string)
	}
	delete(s.renamed, to)
	s.renamed[from] = to
	for path, h := range s.hooks {
		if rest, ok := strings.CutPrefix(path, from+"/"); ok {
			delete(s.hooks, path)
			s.hooks[to+"/"+rest] = h
		}
	}
}

// Forget ends the redirects from a path that [Server.Rename] has made: there is another
// repository, or none.
func (s *Server) Forget(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.renamed, path)
}

// RemoveDeliveries removes what a hook has sent from the list, as if three days had passed.
func (s *Server) RemoveDeliveries(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hooks[path]; h != nil {
		h.deliveries = nil
	}
}

// Send makes the call of a new event and lists it when the call has ended. The body is
// JSON. Send panics if there is no such hook.
func (s *Server) Send(ctx context.Context, path, event string, body []byte) Delivery {
	return s.call(ctx, path, Delivery{Event: event, Body: body})
}

// Deliveries returns what a hook has sent, newest first, without what is not listed any
// more.
func (s *Server) Deliveries(path string) []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed(path, s.now())
}

// Wait waits until the redeliveries that were accepted have ended.
func (s *Server) Wait() { s.calls.Wait() }

// call makes one call with the event, the body and, if it is a redelivery, the GUID of d.
func (s *Server) call(ctx context.Context, path string, d Delivery) Delivery {
	s.mu.Lock()
	h := s.hooks[path]
	if h == nil {
		s.mu.Unlock()
		panic("githubtest: there is no hook " + path)
	}
	to := h.Hook
	s.mu.Unlock()
	began := s.now()
	sent := &sentHeader{transport: s.Transport}
	sender := webhooktest.GitHub{Secret: to.Secret, Form: to.Form, Transport: sent}
	var result webhooktest.Result
	if d.GUID == "" {
		result = sender.Deliver(ctx, to.URL, d.Event, d.Body)
	} else {
		result = sender.Redeliver(ctx, d.GUID, to.URL, d.Event, d.Body)
	}
	d.GUID = result.GUID
	d.DeliveredAt, d.Duration = began.UTC().Truncate(time.Second), s.now().Sub(began)
	d.Header = sent.get()
	d.Status, d.StatusCode = statusOf(result)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	d.ID = s.lastID
	h.deliveries = append(h.deliveries, d)
	return d
}

// statusOf returns how GitHub lists the result of a call.
func statusOf(r webhooktest.Result) (string, int) {
	if len(r.Attempts) == 0 || r.Attempts[0].Err != nil {
		return "failed to connect", 0
	}
	code := r.Attempts[0].Status
	if r.Delivered {
		return "OK", code
	}
	return "Invalid HTTP Response: " + http.StatusText(code), code
}

// redeliver makes the call of a delivery again, after a while.
func (s *Server) redeliver(path string, d Delivery) {
	wait := s.RedeliverAfter
	if wait == 0 {
		wait = time.Second
	}
	s.calls.Go(func() {
		time.Sleep(wait)
		s.mu.Lock()
		exists := s.hooks[path] != nil
		s.mu.Unlock()
		if exists {
			s.call(context.Background(), path, Delivery{GUID: d.GUID, Event: d.Event, Body: d.Body, Redelivery: true})
		}
	})
}

// listed returns what is listed of a hook, newest first.
func (s *Server) listed(path string, now time.Time) (list []Delivery) {
	h := s.hooks[path]
	if h == nil {
		return nil
	}
	for d := range s.newest(h.deliveries, now) {
		list = append(list, *d)
	}
	return list
}

// newest yields those of some deliveries that are listed, newest first.
func (s *Server) newest(deliveries []Delivery, now time.Time) iter.Seq[*Delivery] {
	return func(yield func(*Delivery) bool) {
		for n := len(deliveries) - 1; n >= 0; n-- {
			if d := &deliveries[n]; s.isListed(d, now) && !yield(d) {
				return
			}
		}
	}
}

// isListed reports whether a delivery is recent enough.
func (s *Server) isListed(d *Delivery, now time.Time) bool {
	return now.Sub(d.DeliveredAt) < cmp.Or(s.Retention, 3*24*time.Hour)
}

// A sentHeader is a transport that keeps the header of the last request.
type sentHeader struct {
	transport http.RoundTripper
	mu        sync.Mutex
	header    http.Header
}

func (t *sentHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.header = r.Header.Clone()
	t.mu.Unlock()
	if t.transport == nil {
		own := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
		return own.RoundTrip(r)
	}
	return t.transport.RoundTrip(r)
}

func (t *sentHeader) get() http.Header {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.header
}

// actionOf returns the action in the body of an event, nil if there is none.
func actionOf(body []byte) *string {
	var event struct {
		Action *string `json:"action"`
	}
	_ = json.Unmarshal(body, &event) // an event need not be an object here
	return event.Action
}

package dockerhubtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Server is a registry with its server of tokens and the API of tags. It is an
// http.Handler. Set the fields before the first request. The methods are safe for concurrent
// use. The zero value is Docker Hub without repositories.
type Server struct {
	// User and Password are the only credentials that exist. If User is empty, there are none.
	User     string
	Password webhook.Secret
	// Scheme is that of the challenge of the registry, "Bearer" or "Basic". Empty means Bearer.
	// With Basic, all repositories need the credentials.
	Scheme string
	// Realm is the URL of the server of tokens in the challenge. Empty means that of Docker
	// Hub, https://auth.docker.io/token. Behind a httptest.Server it is its URL and "/token".
	Realm string
	// TokenLifetime is that of a token, in whole seconds. Zero means 300 s.
	TokenLifetime time.Duration
	// PullLimit is the number of pulls in six hours. Zero means 100, as for clients without
	// credentials. If negative, there is no limit, as for a paid plan, and no header of it.
	PullLimit int
	// APILimit is the number of requests to the API in a minute. Zero means 180.
	APILimit int
	// Now is the clock of the servers. If nil, it is time.Now.
	Now func() time.Time

	mu           sync.Mutex // guards the fields below
	repositories map[string]*repository
	tokens       map[string]token
	failures     []Failure
	requests     []Request
	pulls        window
	calls        window // of the API
	issued       int    // tokens
}

// A Request is a request to one of the servers.
type Request struct {
	Method string
	Host   string // such as registry-1.docker.io
	Path   string // without query
	Status int    // of the answer
	At     time.Time
}

// A Failure is an answer instead of the right one.
type Failure struct {
	Path       string        // of the requests that fail; empty: all
	Status     int           // such as 502; zero means 200
	RetryAfter time.Duration // in Retry-After, in whole seconds; zero: no such header
	Header     http.Header   // more headers
	Body       string
}

// Fail answers the next n requests with f instead. The failures of several calls follow each
// other.
func (s *Server) Fail(n int, f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, f)
	}
}

// StopFailing drops the failures that are left.
func (s *Server) StopFailing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = nil
}

// Requests returns all requests so far, in the order of their answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Digest returns the digest of a manifest, as [Server.Push] does.
func Digest(manifest string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest))) }

// An answer is what a route returns.
type answer struct {
	status int
	header http.Header
	body   string // if content is nil
	// content is encoded as JSON.
	content any
}

// ServeHTTP answers as the server does that the host or the path names.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	got := s.answer(r, now)
	if got.content != nil {
		text, _ := json.Marshal(got.content) // maps of texts and numbers: cannot fail
		got.body = string(text)
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	for name, values := range got.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	s.requests = append(s.requests, Request{r.Method, r.Host, r.URL.Path, got.status, now})
	w.Header().Set("Content-Length", strconv.Itoa(len(got.body)))
	w.WriteHeader(got.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(got.body))
	}
}

// answer returns the answer of the server that the request is for.
func (s *Server) answer(r *http.Request, now time.Time) answer {
	if f, ok := s.failure(r.URL.Path); ok {
		return f.answer()
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return registryError(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
	}
	switch {
	case r.Host == "auth.docker.io", r.URL.Path == "/token":
		return s.issue(r, now)
	case r.Host == "hub.docker.com", strings.HasPrefix(r.URL.Path, "/v2/namespaces/"):
		return s.api(r, now)
	default:
		return s.registry(r, now)
	}
}

// failure returns the failure of a request for a path, if there is one.
func (s *Server) failure(path string) (Failure, bool) {
	for n, f := range s.failures {
		if f.Path == "" || f.Path == path {
			s.failures = append(s.failures[:n:n], s.failures[n+1:]...)
			return f, true
		}
	}
	return Failure{}, false
}

func (f Failure) answer() answer {
	got := answer{status: f.Status, header: f.Header.Clone(), body: f.Body}
	if got.status == 0 {
		got.status = http.StatusOK
	}
	if f.RetryAfter > 0 {
		if got.header == nil {
			got.header = make(http.Header)
		}
		got.header.Set("Retry-After", strconv.FormatInt(int64(f.RetryAfter/time.Second), 10))
	}
	return got
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// A window counts what is limited in a time.
type window struct {
	used  int
	reset time.Time
}

// roll begins a new window if the last one has ended.
func (w *window) roll(now time.Time, length time.Duration) {
	if !now.Before(w.reset) {
		w.used, w.reset = 0, now.Add(length)
	}
}

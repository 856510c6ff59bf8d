package githubtest

import (
	"crypto/rsa"
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

// A Server is GitHub's API with some hooks. It is an http.Handler, at the root of a host
// or below "/api/v3" as that of GitHub Enterprise Server. Set the fields before the first
// request. The methods are safe for concurrent use. The zero value has no hooks and wants
// no credentials.
type Server struct {
	// Token is the accepted token. If zero, none is needed, except for app/hook.
	Token webhook.Secret
	// ReadOnly is true if the token has no right to write: a redelivery is answered with 403, or
	// with 404 if the token is a classic one.
	ReadOnly bool
	// Scopes are those of a classic token, such as "repo, gist", which each answer lists. If
	// empty, the token is a fine-grained one, which has none.
	Scopes string
	// AppKey verifies the JSON Web Tokens for app/hook. If nil, all are refused.
	AppKey *rsa.PublicKey
	// RateLimit is the number of requests in an hour. Zero means 5000, that of a personal
	// access token.
	RateLimit int
	// Retention is how long a delivery is listed. Zero means three days.
	Retention time.Duration
	// RedeliverAfter is the time from an accepted redelivery to its call. Zero means a second.
	RedeliverAfter time.Duration
	// Now is the clock of the server. If nil, it is time.Now.
	Now func() time.Time
	// Transport makes the calls of the hooks. If nil, each call has a new http.Transport.
	Transport http.RoundTripper

	mu       sync.Mutex // guards the fields below; never locked during a call
	hooks    map[string]*hook
	renamed  map[string]string
	failures []Failure
	requests []Request
	lastID   int64
	used     int       // of the rate limit
	reset    time.Time // when used is zero again
	calls    sync.WaitGroup
}

// A Request is a request to the API.
type Request struct {
	Method string
	Path   string // below the root, without query
	Status int    // of the answer
	At     time.Time
}

// A Failure is an answer of the API instead of the right one.
type Failure struct {
	Status     int           // such as 502
	RetryAfter time.Duration // in Retry-After, in whole seconds; zero: no such header
	Message    string
	Cut        bool // the right answer with its status, of which the second half is missing
}

// SetToken changes Token and ReadOnly, also while requests are made, as somebody does who
// replaces a token or changes its rights.
func (s *Server) SetToken(token webhook.Secret, readOnly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Token, s.ReadOnly = token, readOnly
}

// Fail answers the next n requests with f instead. They do not count against the rate
// limit.
func (s *Server) Fail(n int, f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, f)
	}
}

// Requests returns all requests so far, in the order of their answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// An answer is what a route returns.
type answer struct {
	status  int
	content any // encoded as JSON; nil: no body
	header  http.Header
}

func failed(status int, message string) answer {
	return answer{status: status, content: map[string]string{"message": message, "status": strconv.Itoa(status)}}
}

// ServeHTTP answers as the API does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/v3"), "/")
	failure, fails := s.nextFailure()
	var got answer
	switch {
	case fails && !failure.Cut:
		got = failed(failure.Status, failure.Message)
		if failure.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(int64(failure.RetryAfter/time.Second), 10))
		}
	case !s.spend(w.Header(), now):
		got = failed(http.StatusForbidden, "API rate limit exceeded for user ID 1.")
	default:
		got = s.route(r, path, now)
	}
	var text []byte
	if got.content != nil {
		text, _ = json.Marshal(got.content) // maps and structs of texts: cannot fail
	}
	if got.status == http.StatusOK && r.Method == http.MethodGet {
		etag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(text))
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			got.status, text = http.StatusNotModified, nil
			s.refund(w.Header())
		}
	}
	for name, values := range got.header {
		w.Header()[name] = values
	}
	if s.Scopes != "" {
		w.Header().Set("X-OAuth-Scopes", s.Scopes)
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if text != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	if fails && failure.Cut {
		text = text[:len(text)/2]
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, path, got.status, now})
	s.mu.Unlock()
	w.WriteHeader(got.status)
	_, _ = w.Write(text)
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) nextFailure() (Failure, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) == 0 {
		return Failure{}, false
	}
	f := s.failures[0]
	s.failures = s.failures[1:]
	return f, true
}

// defaultRateLimit is that of a personal access token, in an hour.
const defaultRateLimit = 5000

// spend counts a request and sets the headers of the rate limit. It reports false if none
// was left.
func (s *Server) spend(h http.Header, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Before(s.reset) {
		s.used, s.reset = 0, now.Add(time.Hour).Truncate(time.Second)
	}
	left := s.used < s.limit()
	if left {
		s.used++
	}
	s.setLimits(h)
	return left
}

// refund takes the last request back.
func (s *Server) refund(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.setLimits(h)
}

func (s *Server) setLimits(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit()))
	h.Set("X-RateLimit-Used", strconv.Itoa(s.used))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(s.limit()-s.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
}

func (s *Server) limit() int {
	if s.RateLimit == 0 {
		return defaultRateLimit
	}
	return s.RateLimit
}

package jobservtest

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/pyjson"
	"github.com/hookhouse/hookhouse/webhook"
)

// A Server is JobServ with some projects. It is an http.Handler at the root of a host. Set
// the fields before the first request. The methods are safe for concurrent use. The zero
// value has no projects and wants no token.
type Server struct {
	// Token is the accepted token. If zero, none is needed.
	Token webhook.Secret
	// TokenHeader is the header of the token, such as "OSF-TOKEN". If empty, it is that of
	// "Authorization: Bearer <token>".
	TokenHeader string
	// URL is the address in the URLs of calls, that by which a worker calls the server. If
	// empty, it is "https://api.example.com". Answers have the host of their request.
	URL string
	// WholeSeconds is true if the database is MySQL, which rounds times to seconds.
	WholeSeconds bool
	// Now is the clock of the server. If nil, it is time.Now.
	Now func() time.Time
	// Transport makes the calls of the hooks. If nil, each call has a new http.Transport.
	Transport http.RoundTripper

	mu       sync.Mutex // guards the fields below; never locked during a call
	projects map[string]*project
	failures []Failure
	requests []Request
}

// A Request is a request to the API.
type Request struct {
	Path   string // with its query
	Status int    // of the answer
	At     time.Time
}

// A Failure is an answer of the API instead of the right one.
type Failure struct {
	Path       string        // of the requests that it is for; empty: of any
	Status     int           // such as 502
	RetryAfter time.Duration // in Retry-After, in whole seconds; zero: no such header
	Message    string        // in the envelope; empty: the page of a proxy
	Cut        bool          // the right answer with its status, of which the second half is missing
	Drop       int           // the right answer without the last builds of its list
}

// SetToken changes Token, also while requests are made, as somebody does who replaces one.
func (s *Server) SetToken(token webhook.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Token = token
}

// Fail answers the next n requests with f instead, those for f.Path if it has one.
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
	status int
	data   pyjson.Object // of a success
	text   string        // of an error
}

// ServeHTTP answers as the API does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	failure, fails := s.nextFailure(r.URL.Path)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	var got answer
	if fails && !failure.Cut && failure.Drop == 0 {
		got = answer{status: failure.Status, text: failure.Message}
		if failure.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(int64(failure.RetryAfter/time.Second), 10))
		}
	} else {
		got = s.route(r, failure.Drop)
	}
	text := envelope(got)
	if fails && failure.Cut {
		text = text[:len(text)/2]
	}
	if got.status != http.StatusOK && got.text == "" {
		w.Header().Set("Content-Type", "text/html")
		text = []byte("<html><body>" + http.StatusText(got.status) + "</body></html>")
	}
	s.requests = append(s.requests, Request{r.URL.RequestURI(), got.status, now})
	w.WriteHeader(got.status)
	_, _ = w.Write(text)
}

// envelope returns the text of an answer.
func envelope(a answer) []byte {
	var o pyjson.Object
	if a.status == http.StatusOK {
		o.Add("data", a.data)
		o.Add("status", "success")
	} else {
		o.Add("message", a.text)
		o.Add("status", "error")
	}
	return append(pyjson.Append(nil, pyjson.Sorted(o)), '\n')
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) nextFailure(path string) (Failure, bool) {
	for n, f := range s.failures {
		if f.Path == "" || f.Path == path {
			s.failures = append(s.failures[:n:n], s.failures[n+1:]...)
			return f, true
		}
	}
	return Failure{}, false
}

// authorized reports whether r has the token.
func (s *Server) authorized(r *http.Request) bool {
	if s.Token.IsZero() {
		return true
	}
	if s.TokenHeader != "" {
		return s.Token.Equal([]byte(r.Header.Get(s.TokenHeader)))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && s.Token.Equal([]byte(token))
}

package kudutest

import (
	"net/http"
	"strconv"
	"time"
)

// A Failure is an answer instead of the right one, such as 503 and a page in
// HTML, which a site gives that restarts.
type Failure struct {
	Status     int           // such as 503; zero means 200
	RetryAfter time.Duration // in Retry-After, in whole seconds; zero: no such header
	Body       string        // in HTML, unless it begins with { or [
	Cut        bool          // the right answer, of which the second half is missing
}

// Fail answers the next n requests with f instead.
func (s *Server) Fail(n int, f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, f)
	}
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

func (f Failure) reply() reply {
	answer := reply{status: f.Status, content: []byte(f.Body), header: make(http.Header)}
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	if f.Body != "" && f.Body[0] != '{' && f.Body[0] != '[' {
		answer.header.Set("Content-Type", "text/html")
	}
	if f.RetryAfter > 0 {
		answer.header.Set("Retry-After", strconv.FormatInt(int64(f.RetryAfter/time.Second), 10))
	}
	return answer
}

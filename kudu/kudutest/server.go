package kudutest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody bounds what a call of the API may send.
const maxBody = 4 << 20

// A Server is a site with its hooks. The zero value is ready, has no hooks and
// lets everybody in. It is safe for concurrent use; set the fields before.
type Server struct {
	// User and Password are what Basic credentials must be. Zero means that
	// Basic is switched off, or where Token is zero too, that nothing is asked.
	User     string
	Password webhook.Secret
	// Token is what a bearer token must be. Zero means that none will do.
	Token webhook.Secret
	// Transport makes the calls of hooks, those with insecure_ssl too. Zero means
	// a fresh http.Transport for each, which then heeds insecure_ssl.
	Transport http.RoundTripper

	lock lock

	mu         sync.Mutex // guards what follows, for moments
	hooks      []Hook
	lastTicks  int64
	calls      []Call
	deliveries []Delivery
}

// A Call is one request to the API.
type Call struct {
	Method string
	Path   string
	Body   []byte // as sent
	Status int    // of the answer
}

// Calls returns the requests answered so far, in order of their answers.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// ServeHTTP answers as the SCM site does, under /api/hooks and, as long as Kudu
// has the old routes, under /hooks.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	answer := reply{status: http.StatusBadRequest}
	switch {
	case err != nil:
	case !s.admits(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="site"`)
		answer.status = http.StatusUnauthorized
	default:
		answer = s.route(r, body)
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, body, answer.status})
	s.mu.Unlock()
	if answer.content != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.content)
}

// A reply is what a route answers.
type reply struct {
	status  int
	content []byte // JSON; nil: nothing
}

func (s *Server) admits(r *http.Request) bool {
	if s.Password.IsZero() && s.Token.IsZero() {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok {
		return user == s.User && s.Password.Equal([]byte(password))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && s.Token.Equal([]byte(token))
}

// route knows the calls that Kudu has routes for (Kudu: NinjectServices.cs).
func (s *Server) route(r *http.Request, body []byte) reply {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if segments[0] == "api" {
		segments = segments[1:]
	}
	if len(segments) == 0 || segments[0] != "hooks" {
		return reply{status: http.StatusNotFound}
	}
	switch rest := segments[1:]; {
	case r.Method == http.MethodGet && len(rest) == 0:
		return s.locked(r, func() reply { return encode(http.StatusOK, s.Hooks()) })
	case r.Method == http.MethodGet && len(rest) == 1:
		return s.locked(r, func() reply { return encode(http.StatusOK, s.find(rest[0])) })
	case r.Method == http.MethodPost && len(rest) == 0:
		return s.subscribe(r, body)
	case r.Method == http.MethodDelete && len(rest) == 1:
		return s.locked(r, func() reply { s.remove(rest[0]); return reply{status: http.StatusOK} })
	case r.Method == http.MethodPost && len(rest) == 2 && rest[0] == "publish":
		return s.publishBody(r, rest[1], body)
	default:
		return reply{status: http.StatusNotFound}
	}
}

// locked runs f under the lock on the hooks, if it is to be had in time.
func (s *Server) locked(r *http.Request, f func() reply) reply {
	if !s.lock.take(r.Context()) {
		return reply{status: http.StatusInternalServerError}
	}
	defer s.lock.release()
	return f()
}

func encode(status int, v any) reply {
	text, err := json.Marshal(v)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status, text}
}

// lockWait is how long Kudu waits for the lock on its hooks.
const lockWait = 30 * time.Second

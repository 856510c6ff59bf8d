package kudutest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody is the maximum size of a request to the API.
const maxBody = 4 << 20

// A Server is a site with its hooks, deployments and WebJobs. The zero value is
// ready to use: it has none of these and requires no credentials. Set the
// fields before the first request. The methods are safe for concurrent use.
type Server struct {
	// User and Password are the accepted Basic credentials. If Password is
	// zero, Basic authentication is disabled; if Token is zero too, the Server
	// requires no credentials.
	User     string
	Password webhook.Secret
	// Token is the accepted bearer token. If zero, bearer tokens are refused.
	Token webhook.Secret
	// Transport makes the calls of hooks, including those with insecure_ssl. If
	// nil, each call has a new http.Transport, which respects insecure_ssl.
	Transport http.RoundTripper
	// Now is the clock of the site. If nil, it is time.Now.
	Now func() time.Time
	// Keep is how many deployments that have ever succeeded are kept, besides
	// the active one. Zero means 10, as in Kudu.
	Keep int
	// History is how many runs of a job are kept, as the app setting
	// WEBJOBS_HISTORY_SIZE. Zero means 50, as in Kudu.
	History int

	lock lock

	mu         sync.Mutex // guards the fields below; never held during a call
	hooks      []Hook
	lastTicks  int64
	calls      []Call
	deliveries []Delivery
	failures   []Failure
	kept       []kept           // deployments
	active     string           // the ID of a deployment
	modified   int64            // when a deployment was changed last, in ticks
	runs       map[string][]run // by the name of the job in lower case
}

// A Call is a request to the API.
type Call struct {
	Method string
	Path   string
	Body   []byte // as sent
	Status int    // of the answer
	At     time.Time
}

// Calls returns all requests answered so far, in the order of their answers.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// ServeHTTP answers as the SCM site does, under /api, and the hooks under the
// deprecated /hooks too, which Kudu still has.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	answer := reply{status: http.StatusBadRequest}
	failure, fails := s.nextFailure()
	switch {
	case fails && !failure.Cut:
		answer = failure.reply()
	case err != nil:
	case !s.authorized(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="site"`)
		answer.status = http.StatusUnauthorized
	default:
		answer = s.route(r, body)
	}
	if fails && failure.Cut {
		answer.content = answer.content[:len(answer.content)/2]
	}
	now := s.now()
	s.mu.Lock()
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, body, answer.status, now})
	s.mu.Unlock()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if answer.content != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.content)
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// A reply is the answer of a route.
type reply struct {
	status  int
	content []byte // JSON, unless header says otherwise; nil means an empty body
	header  http.Header
}

// authorized reports whether r has the accepted credentials.
func (s *Server) authorized(r *http.Request) bool {
	if s.Password.IsZero() && s.Token.IsZero() {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok {
		return user == s.User && s.Password.Equal([]byte(password))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && s.Token.Equal([]byte(token))
}

// route answers the requests for which Kudu has a route (Kudu:
// NinjectServices.cs).
func (s *Server) route(r *http.Request, body []byte) reply {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	inAPI := segments[0] == "api"
	if inAPI {
		segments = segments[1:]
	}
	switch {
	case inAPI && r.Method == http.MethodGet && len(segments) == 1 && segments[0] == "deployments":
		return s.listDeployments(r)
	case inAPI && r.Method == http.MethodGet && len(segments) == 3 && segments[0] == "triggeredwebjobs" && segments[2] == "history":
		return s.listRuns(r, segments[1])
	case len(segments) == 0 || segments[0] != "hooks":
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

// locked runs f with the lock on the hooks, and answers 500 if it cannot
// acquire it in time.
func (s *Server) locked(r *http.Request, f func() reply) reply {
	if !s.lock.acquire(r.Context()) {
		return reply{status: http.StatusInternalServerError}
	}
	defer s.lock.release()
	return f()
}

// encode returns an answer with v as JSON.
func encode(status int, v any) reply {
	text, err := json.Marshal(v)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: status, content: text}
}

// lockWait is the time for which Kudu waits for the lock on its hooks.
const lockWait = 30 * time.Second

// A lock is a mutex whose acquire gives up after lockWait. The zero value is
// unlocked.
type lock struct {
	once  sync.Once
	token chan struct{} // has an element while the lock is locked
}

// acquire waits for the lock and reports whether it acquired it.
func (l *lock) acquire(ctx context.Context) bool {
	l.once.Do(func() { l.token = make(chan struct{}, 1) })
	timeout := time.NewTimer(lockWait)
	defer timeout.Stop()
	select {
	case l.token <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	case <-ctx.Done():
		return false
	}
}

func (l *lock) release() { <-l.token }

package main

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// newServer returns a server with limits on how long a client may take.
func newServer(routes http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// maxWrongPaths is how many wrong paths are logged in a minute.
const maxWrongPaths = 10

// A wrongPath answers 404 and logs the path, because a sender with a wrong URL does not
// show it to anybody. It logs maxWrongPaths a minute: the internet tries many paths.
type wrongPath struct {
	log *slog.Logger

	mu     sync.Mutex
	since  time.Time
	logged int
}

func (p *wrongPath) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if time.Since(p.since) > time.Minute {
		p.since, p.logged = time.Now(), 0
	}
	p.logged++
	show := p.logged <= maxWrongPaths
	p.mu.Unlock()
	if show {
		p.log.Warn("nothing is served at this path", "method", r.Method, "path", withoutToken(r.URL.Path), "client", r.RemoteAddr)
	}
	http.NotFound(w, r)
}

// withoutToken returns the first two segments of a path, and "..." for all that may be
// a token: for later segments, and for one as long as a secret.
func withoutToken(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var shown strings.Builder
	for i, segment := range segments {
		if i == 2 || len(segment) >= minSecret {
			return shown.String() + "/..."
		}
		shown.WriteString("/" + segment)
	}
	return shown.String()
}

package dockerhubtest

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// A token is what the server of tokens has issued.
type token struct {
	scope   string // empty: no access to any repository
	expires time.Time
}

// minTokenLifetime is the shortest that a token may have.
const (
	minTokenLifetime     = 60 * time.Second
	defaultTokenLifetime = 300 * time.Second
)

// scopeOf returns the scope that allows to pull from a repository.
func scopeOf(repository string) string { return "repository:" + repository + ":pull" }

// issue answers with a token. One of a client that has no access to what it asks for allows
// nothing. Wrong credentials get 401.
func (s *Server) issue(r *http.Request, now time.Time) answer {
	_, _, sent := r.BasicAuth()
	if sent && !s.hasCredentials(r) {
		return answer{status: http.StatusUnauthorized, content: map[string]string{"details": "incorrect username or password"}}
	}
	query := r.URL.Query()
	if query.Get("service") != service {
		return answer{status: http.StatusBadRequest, content: map[string]string{"details": "invalid service"}}
	}
	lifetime := s.TokenLifetime
	if lifetime == 0 {
		lifetime = defaultTokenLifetime
	}
	lifetime = max(lifetime, minTokenLifetime).Truncate(time.Second)
	s.issued++
	text := fmt.Sprint("token-", s.issued)
	given := token{expires: now.Add(lifetime)}
	for _, scope := range query["scope"] {
		name, _ := strings.CutPrefix(strings.TrimSuffix(scope, ":pull"), "repository:")
		if at := s.repositories[name]; at != nil && scope == scopeOf(name) && (!at.private || sent) {
			given.scope += scope + " "
		}
	}
	if s.tokens == nil {
		s.tokens = make(map[string]token)
	}
	maps.DeleteFunc(s.tokens, func(_ string, t token) bool { return !now.Before(t.expires) })
	s.tokens[text] = given
	return answer{status: http.StatusOK, content: map[string]any{
		"token": text, "access_token": text, "expires_in": int(lifetime / time.Second), "issued_at": now.UTC().Format(time.RFC3339),
	}}
}

// hasCredentials reports whether r has the credentials.
func (s *Server) hasCredentials(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && s.User != "" && user == s.User && s.Password.Equal([]byte(password))
}

// allows reports whether r may read a repository, and whether it has sent a token that is
// valid.
func (s *Server) allows(r *http.Request, name string, now time.Time) (allowed, sent bool) {
	if s.isBasic() {
		return s.hasCredentials(r), false
	}
	t, sent := s.tokenOf(r, now)
	return sent && strings.Contains(" "+t.scope, " "+scopeOf(name)+" "), sent
}

// isSignedIn reports whether r has credentials or a token that is valid.
func (s *Server) isSignedIn(r *http.Request, now time.Time) bool {
	if s.isBasic() {
		return s.hasCredentials(r)
	}
	_, ok := s.tokenOf(r, now)
	return ok
}

// tokenOf returns the token of r if it is valid.
func (s *Server) tokenOf(r *http.Request, now time.Time) (token, bool) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t, ok := s.tokens[text]
	return t, ok && strings.EqualFold(scheme, "Bearer") && now.Before(t.expires)
}

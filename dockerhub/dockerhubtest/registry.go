package dockerhubtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	defaultPullLimit = 100
	pullWindow       = 6 * time.Hour
	mediaType        = "application/vnd.oci.image.index.v1+json"
	service          = "registry.docker.io"
)

// registryError returns an answer in the form of a registry's errors.
func registryError(status int, code, message string) answer {
	return answer{status: status, content: map[string]any{
		"errors": []map[string]any{{"code": code, "message": message, "detail": nil}},
	}}
}

// registry answers a request for a manifest, or for the base, which tells whether the client
// has access.
func (s *Server) registry(r *http.Request, now time.Time) answer {
	if r.URL.Path == "/v2/" {
		if !s.isSignedIn(r, now) {
			return s.challenge("", false)
		}
		return answer{status: http.StatusOK, content: struct{}{}}
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	name, reference, ok2 := strings.Cut(path, "/manifests/")
	if !ok || !ok2 || name == "" || reference == "" {
		return registryError(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	}
	allowed, sent := s.allows(r, name, now)
	if !allowed {
		return s.challenge(name, sent)
	}
	return s.manifest(r, s.repositories[name], reference, now)
}

// manifest answers with a manifest and the headers of the limit of pulls.
func (s *Server) manifest(r *http.Request, from *repository, reference string, now time.Time) answer {
	if from == nil {
		return registryError(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	}
	digest := reference
	if !strings.Contains(reference, ":") {
		digest = from.tags[reference].digest
	}
	text, ok := from.manifests[digest]
	if !ok {
		return registryError(http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
	}
	got := answer{status: http.StatusOK, body: text, header: http.Header{
		"Docker-Content-Digest":           {digest},
		"Docker-Distribution-Api-Version": {"registry/2.0"},
		"Content-Type":                    {mediaType},
		"Etag":                            {`"` + digest + `"`},
	}}
	if s.PullLimit < 0 {
		return got
	}
	limit := s.PullLimit
	if limit == 0 {
		limit = defaultPullLimit
	}
	s.pulls.roll(now, pullWindow)
	if r.Method == http.MethodGet {
		if s.pulls.used >= limit {
			got = registryError(http.StatusTooManyRequests, "TOOMANYREQUESTS",
				"You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limits")
			got.header = make(http.Header)
		} else {
			s.pulls.used++
		}
	}
	got.header.Set("Ratelimit-Limit", fmt.Sprintf("%d;w=%d", limit, pullWindow/time.Second))
	got.header.Set("Ratelimit-Remaining", fmt.Sprintf("%d;w=%d", limit-s.pulls.used, pullWindow/time.Second))
	got.header.Set("Docker-Ratelimit-Source", "192.0.2.1")
	return got
}

// challenge answers 401 and says how to get access to a repository, or to the base if the name
// is empty. A token that was sent and has no access has too narrow a scope.
func (s *Server) challenge(name string, sent bool) answer {
	got := registryError(http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	text := `Basic realm="Registry Realm"`
	if !s.isBasic() {
		realm := s.Realm
		if realm == "" {
			realm = "https://auth.docker.io/token"
		}
		text = fmt.Sprintf(`Bearer realm=%q,service=%q`, realm, service)
		if name != "" {
			text += fmt.Sprintf(`,scope=%q`, scopeOf(name))
		}
		if sent {
			text += `,error="insufficient_scope"`
		}
	}
	got.header = http.Header{"Www-Authenticate": {text}, "Docker-Distribution-Api-Version": {"registry/2.0"}}
	return got
}

func (s *Server) isBasic() bool { return strings.EqualFold(s.Scheme, "Basic") }

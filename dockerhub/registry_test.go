package dockerhub_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A registry is Docker Hub: its registry, its server of tokens, and its API.
type registry struct {
	user, password string        // accepted; empty: anybody
	lifetime       time.Duration // of a token
	realm          string        // if not the right one

	mu       sync.Mutex
	digests  map[string]string // by image
	pushed   map[string]time.Time
	tokens   map[string]time.Time // when they expire
	requests []string
	fail     []http.HandlerFunc // instead of the next answers
}

func newRegistry() *registry {
	return &registry{lifetime: 300 * time.Second, digests: make(map[string]string), pushed: make(map[string]time.Time), tokens: make(map[string]time.Time)}
}

// digestOf returns the digest of a content.
func digestOf(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

// push sets the digest of an image, such as acme/app:latest, and returns it.
func (g *registry) push(image, content string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.digests[image], g.pushed[image] = digestOf(content), time.Now()
	return g.digests[image]
}

func (g *registry) failWith(n int, f http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range n {
		g.fail = append(g.fail, f)
	}
}

// count returns how many requests begin with a text, such as "HEAD registry-1.docker.io".
func (g *registry) count(prefix string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

// client returns a Client of the registry.
func (g *registry) client(user, password string) *dockerhub.Client {
	c := dockerhub.NewClient(user, webhook.NewSecret(password))
	c.Transport = webhooktest.InMemory(g)
	return c
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, r.Method+" "+r.Host+r.URL.Path)
	if len(g.fail) > 0 {
		f := g.fail[0]
		g.fail = g.fail[1:]
		f(w, r)
		return
	}
	switch r.Host {
	case "auth.docker.io":
		g.token(w, r)
	case "hub.docker.com":
		g.tag(w, r)
	default:
		g.manifest(w, r)
	}
}

func (g *registry) token(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != g.user || password != g.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	token := fmt.Sprint("token", len(g.requests))
	g.tokens[token+r.URL.Query().Get("scope")+r.URL.Query().Get("service")] = time.Now().Add(g.lifetime)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": g.lifetime / time.Second})
}

func (g *registry) manifest(w http.ResponseWriter, r *http.Request) {
	image, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	repository, tag, ok2 := strings.Cut(image, "/manifests/")
	if !ok || !ok2 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if time.Now().After(g.tokens[token+"repository:"+repository+":pullregistry.docker.io"]) {
		realm := g.realm
		if realm == "" {
			realm = "https://auth.docker.io/token"
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="registry.docker.io",scope="repository:`+repository+`:pull"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	digest := g.digests[repository+":"+tag]
	if digest == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Docker-Content-Digest", digest)
}

func (g *registry) tag(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // v2 namespaces acme repositories app tags latest
	image := parts[2] + "/" + parts[4] + ":" + parts[6]
	if g.digests[image] == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": parts[6], "digest": g.digests[image], "last_updater_username": "kim", "tag_last_pushed": g.pushed[image].UTC().Format(time.RFC3339Nano),
	})
}

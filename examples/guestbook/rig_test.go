package main

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// What the tests of the start take of this program.
const (
	name       = "guestbook"
	secretName = passwordName
	hookPath   = "/hooks/guestbook" // which no program has
)

// A rig is a guestbook in this process, with a visitor who knows the password.
type rig struct {
	url       string
	store     *store
	comments  *comments
	publisher *publish.Publisher
}

// newRig returns a guestbook that serves and sends until the end of the test.
func newRig(t *testing.T) *rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	cfg := &config{
		passwords: []webhook.Secret{webhook.NewSecret("another password"), webhook.NewSecret(secret)},
		guard:     &addrguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, InsecureHTTP: true},
	}
	store, err := openStore(ctx, filepath.Join(t.TempDir(), "guestbook.db"))
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := newPublisher(ctx, cfg, store)
	if err != nil {
		t.Fatal(err)
	}
	publisher.Logger = log
	publisher.Schedule = []time.Duration{time.Hour}
	comments, err := newComments(ctx, store, publisher)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := &site{comments: comments, publisher: publisher, passwords: cfg.passwords, log: log}
	s.mount(mux)
	server := httptest.NewServer(s.protected(mux))
	ended := make(chan error, 1)
	go func() { ended <- publisher.Run(ctx) }()
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		store.close()
	})
	return &rig{server.URL, store, comments, publisher}
}

// A reply is the answer to a request. Redirects are followed, as a browser does.
type reply struct {
	status int
	path   string // of the page, with its query
	header http.Header
	body   string
}

// do makes a request with the password. Headers are in pairs.
func (g *rig) do(t *testing.T, method, path string, form url.Values, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("anyone", secret)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Request.URL.RequestURI(), resp.Header, string(body)}
}

func (g *rig) get(t *testing.T, path string) reply {
	t.Helper()
	return g.do(t, http.MethodGet, path, nil)
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)">(.*?)</form>`)
	inputPattern = regexp.MustCompile(`<input [^>]*name="([^"]+)"[^>]*value="([^"]*)"([^>]*)>`)
)

// submit sends the form of a page that has the action, with the values that it has and those
// given, in pairs.
func (g *rig) submit(t *testing.T, page reply, action string, values ...string) reply {
	t.Helper()
	for _, form := range formPattern.FindAllStringSubmatch(page.body, -1) {
		if html.UnescapeString(form[1]) != action {
			continue
		}
		sent := make(url.Values)
		for _, input := range inputPattern.FindAllStringSubmatch(form[2], -1) {
			if !strings.Contains(input[0], `type="checkbox"`) || strings.Contains(input[3], "checked") {
				sent.Add(input[1], html.UnescapeString(input[2]))
			}
		}
		for i := 0; i < len(values); i += 2 {
			if sent.Del(values[i]); values[i+1] != "" {
				sent.Set(values[i], values[i+1])
			}
		}
		return g.do(t, http.MethodPost, action, sent)
	}
	t.Fatalf("%s has no form for %s:\n%s", page.path, action, page.body)
	return reply{}
}

// leave leaves a comment through the form.
func (g *rig) leave(t *testing.T, text string) {
	t.Helper()
	if got := g.submit(t, g.get(t, "/"), "/", "name", "Ada", "comment", text); got.status != 200 || got.path != "/?thanks" {
		t.Fatalf("%d at %s: %s", got.status, got.path, got.body)
	}
}

var secretPattern = regexp.MustCompile(`<code id="secret">(whsec_[^<]+)</code>`)

// add adds a webhook through the form, and returns the path of its page and its secret.
func (g *rig) add(t *testing.T, at string, values ...string) (page, secret string) {
	t.Helper()
	got := g.submit(t, g.get(t, "/webhooks"), "/webhooks", append([]string{"url", at}, values...)...)
	shown, back := secretPattern.FindStringSubmatch(got.body), regexp.MustCompile(`href="(/webhooks/\w+)"`).FindStringSubmatch(got.body)
	if got.status != 200 || shown == nil || back == nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return back[1], html.UnescapeString(shown[1])
}

// A sink is a receiver of webhooks.
type sink struct {
	url string

	mu       sync.Mutex
	status   int
	requests []sent
}

// A sent is a request that a sink has received.
type sent struct {
	header http.Header
	body   []byte
}

func newSink(t *testing.T) *sink {
	s := &sink{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, sent{r.Header.Clone(), body})
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, "<b>the answer</b>")
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/hook"
	return s
}

func (s *sink) answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *sink) received() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.requests...)
}

// next waits for the request after the first n ones.
func (s *sink) next(t *testing.T, n int) sent {
	t.Helper()
	eventually(t, "a request", func() bool { return len(s.received()) > n })
	return s.received()[n]
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("there is not: %s", what)
		}
	}
}

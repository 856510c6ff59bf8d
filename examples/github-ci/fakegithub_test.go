package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
)

const token = "ghp_a-token-for-tests"

// A fakeGitHub is the part of GitHub that the program uses: git's own HTTP server
// on bare repositories, and the API for commit statuses. It records every request
// that GitHub would reject.
type fakeGitHub struct {
	*httptest.Server
	root string
	api  *githubtest.Server // of webhooks

	mu       sync.Mutex
	statuses []commitStatus
	faults   []string // requests that GitHub would reject
	down     bool     // the API answers 503
	fetches  int      // authorized requests for the private repository
	held     chan struct{}
}

// commitStatus is a status that the API has received.
type commitStatus struct {
	Repository, Commit string
	State              string
	Description        string
	Context            string
	TargetURL          string `json:"target_url"`
}

func newFakeGitHub(t *testing.T) *fakeGitHub {
	s := &fakeGitHub{root: t.TempDir(), api: &githubtest.Server{Token: webhook.NewSecret(token)}}
	execPath, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("git is required: apt-get install git: %v", err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(execPath)), "git-http-backend"),
		Root: "/git",

		Stderr: io.Discard, // tests request missing objects on purpose
		Env:    []string{"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	mux := http.NewServeMux()
	mux.Handle("/git/", backend)
	mux.HandleFunc("/git/acme/private.git/", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "x-access-token" || password != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.mu.Lock()
		s.fetches++
		held := s.held
		s.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		backend.ServeHTTP(w, r)
	})
	mux.HandleFunc("/api/v3/", s.status)
	mux.Handle("/api/v3/repos/{owner}/{repo}/hooks/", s.api)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// status handles POST /repos/{owner}/{repo}/statuses/{sha} (github/docs: commit
// statuses).
func (s *fakeGitHub) status(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	addFault := func(format string, args ...any) { s.faults = append(s.faults, fmt.Sprintf(format, args...)) }
	if err != nil {
		addFault("body: %v", err)
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3/"), "/")
	if r.Method == http.MethodGet && len(parts) == 3 { // GET /repos/{owner}/{repo}
		s.repositoryOf(w, r, parts[1]+"/"+parts[2])
		return
	}
	if r.Method != http.MethodPost || len(parts) != 5 || parts[0] != "repos" || parts[3] != "statuses" || !git.IsCommit(parts[4]) {
		addFault("%s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + token, "Accept": "application/vnd.github+json",
		"Content-Type": "application/json", "X-Github-Api-Version": "2022-11-28",
	} {
		if got := r.Header.Get(name); got != want {
			addFault("%s: %q", name, got)
		}
	}
	if r.UserAgent() == "" || strings.HasPrefix(r.UserAgent(), "Go-http-client") {
		addFault("User-Agent: %q", r.UserAgent()) // GitHub rejects an empty one
	}
	var fields map[string]string
	if err := json.Unmarshal(body, &fields); err != nil {
		addFault("body %s: %v", body, err)
	}
	for name := range fields {
		if !slices.Contains([]string{"state", "description", "context", "target_url"}, name) {
			addFault("field %q", name)
		}
	}
	got := commitStatus{Repository: parts[1] + "/" + parts[2], Commit: parts[4]}
	_ = json.Unmarshal(body, &got)
	if !slices.Contains([]string{"pending", "success", "failure", "error"}, got.State) {
		addFault("state %q", got.State)
	}
	if n := len([]rune(got.Description)); n == 0 || n > 140 {
		addFault("description has %d characters", n)
	}
	if got.Context == "" || !strings.HasPrefix(got.TargetURL, "http") {
		addFault("context %q, target_url %q", got.Context, got.TargetURL)
	}
	s.statuses = append(s.statuses, got)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id": 1}`)
}

// repositoryOf handles GET /repos/{owner}/{repo}.
func (s *fakeGitHub) repositoryOf(w http.ResponseWriter, r *http.Request, name string) {
	_, err := os.Stat(filepath.Join(s.root, name+".git"))
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = io.WriteString(w, `{"id": 1}`)
	}
}

// statusesOf returns the reported states of a commit and its last status.
func (s *fakeGitHub) statusesOf(commit string) (states []string, last commitStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.statuses {
		if one.Commit == commit {
			states, last = append(states, one.State), one
		}
	}
	return states, last
}

// hold makes fetches of the private repository hang until release is called.
func (s *fakeGitHub) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = make(chan struct{})
	return sync.OnceFunc(func() { close(s.held) })
}

func (s *fakeGitHub) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// noFaults fails the test if GitHub would have rejected a request.
func (s *fakeGitHub) noFaults(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) != 0 {
		t.Fatalf("s.faults = %v, want empty", s.faults)
	}
}

// A repository is a bare repository on the server and a clone to commit in.
type repository struct {
	t     *testing.T
	name  string
	bare  string
	clone string
}

func (s *fakeGitHub) repository(t *testing.T, name string) *repository {
	t.Helper()
	r := &repository{t, name, filepath.Join(s.root, name+".git"), t.TempDir()}
	r.git("init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	r.git("-C", r.clone, "init", "--quiet", "--initial-branch=main")
	r.git("-C", r.clone, "remote", "add", "origin", r.bare)
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.clone, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %s: %v", args, out, err)
	}
	return strings.TrimSpace(string(out))
}

// commit commits a file with the given text and pushes it to a branch.
func (r *repository) commit(branch, text string) (sha string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.clone, "file.txt"), []byte(text+"\n"), 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.git("-C", r.clone, "add", "--all")
	r.git("-C", r.clone, "commit", "--quiet", "--allow-empty", "--message="+text)
	r.git("-C", r.clone, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/"+branch)
	return r.git("-C", r.clone, "rev-parse", "HEAD")
}

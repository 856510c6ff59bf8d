package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
)

func TestPrivateRepository(t *testing.T) {
	r := newRig(t, "true")
	private := r.hub.repository(t, "acme/private")
	sha := private.commit("main", "private")
	r.write("github-ci.yaml", "repositories: [{name: acme/private, remote: '"+r.hub.URL+"/git/acme/private.git', branches: ['**'], command: 'cat .git/config; cat file.txt'}]")
	r.start()
	r.push(pushed{repository: "ACME/Private", after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); strings.Contains(got, "xtra") {
		t.Fatalf(`r.page(path+"/log") = %q, want it not to contain %q`, got, "xtra")
	} // http.extraHeader
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	if r.hub.fetches <= 0 {
		t.Fatalf("r.hub.fetches = %v, want more than 0", r.hub.fetches)
	}
	if len(r.hub.faults) != 0 {
		t.Fatalf("r.hub.faults = %v, want empty", r.hub.faults)
	}
}

// withRemote writes a configuration with another remote for acme/app, whose
// command prints the network settings in its environment.
func (r *rig) withRemote(remote string) {
	r.Helper()
	r.write("github-ci.yaml", "repositories: [{name: acme/app, remote: '"+remote+"', branches: [main], command: 'env | grep -Ei \"^[a-z_]*(proxy|ssl)\" || echo no network settings'}]")
}

func TestFetchUsesProxyFromEnvironment(t *testing.T) {
	r := newRig(t, "true")
	sha := r.repo.commit("main", "one")
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		asked = append(asked, req.Host)
		mu.Unlock()
		r.hub.Config.Handler.ServeHTTP(w, req)
	}))
	t.Cleanup(proxy.Close)
	r.withRemote("http://git.example.com/git/acme/app.git")
	r.env = []string{"HTTP_PROXY=" + proxy.URL}
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "\nno network settings\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "\nno network settings\n")
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(asked, "git.example.com") {
		t.Fatalf("asked = %v, want it to contain \"git.example.com\"", asked)
	}
}

func TestFetchUsesCertificatesFromEnvironment(t *testing.T) {
	r := newRig(t, "true")
	sha := r.repo.commit("main", "one")
	secure := httptest.NewTLSServer(r.hub.Config.Handler)
	t.Cleanup(secure.Close)
	r.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	r.withRemote(secure.URL + "/git/acme/app.git")
	r.env = []string{"SSL_CERT_FILE=" + filepath.Join(r.dir, "ca.pem")}
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "\nno network settings\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "\nno network settings\n")
	}
}

func TestFetchAfterKilledGit(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(r.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	// Kill git once, while it writes the ref.
	r.write("bin/git", `#!/bin/sh
case "$*" in
*' fetch '*)
	if mkdir `+r.dir+`/killed; then
		for option; do case $option in --git-dir=*) dir=${option#*=};; +*) ref=${option#*:}; esac; done
		mkdir -p $dir/refs/builds; touch $dir/$ref.lock $dir/objects/pack/tmp_pack_x $dir/objects/pack/pack-x.keep
		kill -9 $$
	fi
esac
exec `+git+` "$@"
`)
	if err := os.Chmod(filepath.Join(bin, "git"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	_, path := r.untilStatus(one, "success")
	log := r.page(path + "/log")
	if !strings.Contains(log, "git fetch: exit status 137: it will run again\n") {
		t.Fatalf("log = %q, want it to contain %q", log, "git fetch: exit status 137: it will run again\n")
	}
	if strings.Contains(log, ".lock") {
		t.Fatalf("log = %q, want it not to contain \".lock\"", log)
	}
	for _, pattern := range []string{"tmp_*", "*.keep"} {
		if left, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*", "objects", "pack", pattern)); err != nil || len(left) > 0 {
			t.Fatalf("files of the killed git are left: %q, %v", left, err)
		}
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
	}
}

func TestNetworkEnv(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"nothing", map[string]string{"PATH": "/bin", "ALL_PROXY": "http://p"}, nil},
		{"proxies get lower-case names, because libcurl ignores HTTP_PROXY", map[string]string{"HTTP_PROXY": "http://p", "HTTPS_PROXY": "http://q", "NO_PROXY": "a,b"}, []string{"http_proxy=http://p", "https_proxy=http://q", "no_proxy=a,b"}},
		{"lower-case names are read too", map[string]string{"https_proxy": "http://q"}, []string{"https_proxy=http://q"}},
		{"the upper-case name wins, as in the client for statuses", map[string]string{"https_proxy": "http://q", "HTTPS_PROXY": "http://p"}, []string{"https_proxy=http://p"}},
		{"certificates get git's names", map[string]string{"SSL_CERT_FILE": "/f", "SSL_CERT_DIR": "/d"}, []string{"GIT_SSL_CAINFO=/f", "GIT_SSL_CAPATH=/d"}},
		{"git's own names win", map[string]string{"SSL_CERT_FILE": "/f", "GIT_SSL_CAINFO": "/g"}, []string{"GIT_SSL_CAINFO=/g"}},
	} {
		if diff := cmp.Diff(tt.want, git.NetworkEnv(func(name string) string { return tt.env[name] })); diff != "" {
			t.Fatalf("%v: git.NetworkEnv(func(name string) string { return tt.env[name] }) (-want +got):\n%s", tt.name, diff)
		}
	}
}

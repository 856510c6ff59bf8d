package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// onHosts makes the program reach the fake GitHub by any host name, through a proxy, with
// the paths of repositories that GitHub has.
func (r *rig) onHosts() {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/acme/") {
			req.URL.Path = "/git" + req.URL.Path
		}
		req.URL.Scheme, req.URL.Host = "", ""
		r.hub.Config.Handler.ServeHTTP(w, req)
	}))
	r.Cleanup(proxy.Close)
	r.env = append(r.env, "HTTP_PROXY="+proxy.URL)
}

// The token is shown to the server of -api and to no other, and that server is the default
// of remotes. The statuses and the private repository need the token.
func TestRemotesOfEachGitHub(t *testing.T) {
	for _, tt := range []struct{ name, api, want string }{
		{"GHE.com, and a server with subdomain isolation", "http://api.acme.ghe.example", "http://acme.ghe.example/acme/private.git"},
		{"GitHub Enterprise Server", "http://github.example.com", "http://github.example.com/acme/private.git"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "true")
			r.onHosts()
			private := r.hub.repository(t, "acme/private")
			r.write("github-ci.yaml", "repositories: [{name: acme/private, branches: ['**'], command: 'cat file.txt'}]")
			r.args = []string{"-api", tt.api + "/api/v3"}
			sha := private.commit("main", "private")
			r.start()
			r.push(pushed{repository: "acme/private", after: sha, created: true})
			_, path := r.untilStatus(sha, "success")
			if got := r.page(path + "/log"); !strings.Contains(got, "fetching "+tt.want+"\n") {
				t.Errorf("the log is %q", got)
			}
			r.hub.noFaults(t)
		})
	}
}

func TestTokenIsNotSentToAnotherServer(t *testing.T) {
	r := newRig(t, "true")
	r.onHosts()
	r.hub.repository(t, "acme/private").commit("main", "private")
	r.write("github-ci.yaml", "repositories: [{name: acme/private, remote: 'http://elsewhere.example/acme/private.git', branches: ['**'], command: 'true'}]")
	r.start()
	if got := r.p.logText(); !strings.Contains(got, "the token is not sent to these remotes") || !strings.Contains(got, "repositories=acme/private") {
		t.Errorf("the start does not say it:\n%s", got)
	}
	r.push(pushed{repository: "acme/private", after: strings.Repeat("1", 40), created: true})
	var files []string
	r.until("the log of the build says it", func() bool {
		files, _ = filepath.Glob(filepath.Join(r.dir, "data", "logs", "*"))
		return len(files) == 1 && strings.Contains(r.read(files[0]), "the token was not sent to http://elsewhere.example/acme/private.git")
	})
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	if r.hub.fetches != 0 {
		t.Errorf("%d fetches had the token", r.hub.fetches)
	}
}

// Some versions of GitHub Enterprise Server send no head_commit for an annotated tag.
func TestAnnotatedTagWithoutHeadCommit(t *testing.T) {
	r := newRig(t, `test "$CI_COMMIT" = "$(git rev-parse HEAD)"; echo "tag $CI_TAG"`+waitForGate)
	sha := r.repo.commit("main", "one")
	r.repo.git("-C", r.repo.clone, "tag", "--annotate", "--message=x", "v1.0")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", "v1.0")
	tag := r.repo.git("-C", r.repo.clone, "rev-parse", "v1.0")
	r.start()
	r.push(pushed{ref: "refs/tags/v1.0", after: tag, noHead: true, created: true})
	r.untilStatus(sha, "pending")
	r.openGate()
	r.untilStatus(sha, "success")
	if states, _ := r.hub.statusesOf(sha); strings.Join(states, " ") != "pending success" {
		t.Errorf("statuses of the commit: %q", states)
	}
	if states, _ := r.hub.statusesOf(tag); len(states) > 0 {
		t.Errorf("statuses of the tag object: %q", states)
	}
	if got := r.page("/"); !strings.Contains(got, "<code>"+sha[:12]+"</code>") {
		t.Errorf("the list does not show the commit: %s", got)
	}
	r.hub.noFaults(t)
}

// With -skip-ci such a push is not built and does not replace an older one that waits.
func TestSkipCI(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	r.args = []string{"-skip-ci"}
	one, two := r.repo.commit("main", "one"), r.repo.commit("main", "two")
	r.start()
	r.push(pushed{after: one, created: true})
	r.until("the build runs", func() bool { return r.read(r.runs) != "" })
	r.push(pushed{before: one, after: two})
	three := r.repo.commit("main", "three")
	r.push(pushed{before: two, after: three, message: "Release 1.0\n\n[Skip CI]"})
	r.push(pushed{before: two, after: three, message: "[ci skip] again"})
	r.openGate()
	r.untilStatus(two, "success")
	r.push(pushed{ref: "refs/tags/v1", after: three, message: "[skip ci]", created: true})
	r.untilStatus(three, "success")
	if got := r.read(r.runs); got != "one\ntwo\nthree\n" {
		t.Errorf("the runs are %q", got)
	}
	r.signalAndWait(15)

	// Without the flag it is built.
	r.args = nil
	r.start()
	four := r.repo.commit("main", "four")
	r.push(pushed{before: three, after: four, message: "[skip ci]"})
	r.untilStatus(four, "success")
}

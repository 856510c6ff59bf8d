package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// post sends what the button of a page sends.
func (r *rig) post(path, site string) int {
	r.Helper()
	return r.postTo("", path, site)
}

// postTo is post with the Host that a browser has for the address.
func (r *rig) postTo(host, path, site string) int {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.p.admin+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Host = host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	if location := res.Header.Get("Location"); location != "" && location != "../"+strings.Split(path, "/")[2] {
		r.Errorf("POST %s leads to %q", path, location)
	}
	return res.StatusCode
}

func TestBuildAgain(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS; [ $(wc -l <$RUNS) -ge 2 ]")
	r.args = []string{"-admin-addr", "127.0.0.1:0"}
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	_, path := r.untilStatus(one, "failure")
	if got := r.page(path); !strings.Contains(got, "<button>Build again</button>") {
		t.Fatalf("the page has no button: %s", got)
	}
	if code := r.post(path+"/again", "cross-site"); code != http.StatusForbidden {
		t.Errorf("a form of another site: status %d, want %d", code, http.StatusForbidden)
	}
	// A name of the attacker that leads here: its forms are of the same origin.
	for _, host := range []string{"attacker.example", "attacker.example:8081", "127.0.0.1.attacker.example", "ci.example.com.attacker.example", "localhost.attacker.example"} {
		if code := r.postTo(host, path+"/again", "same-origin"); code != http.StatusForbidden {
			t.Errorf("a form of %s: status %d, want %d", host, code, http.StatusForbidden)
		}
	}
	for _, host := range []string{"ci.example.com", "CI.example.com:443", "localhost:8081", "[::1]:8081", "192.0.2.7"} {
		if code := r.postTo(host, "/builds/"+strings.Repeat("0", 32)+"/again", "same-origin"); code != http.StatusNotFound {
			t.Errorf("a form of %s: status %d, want %d of an unknown build", host, code, http.StatusNotFound)
		}
	}
	if code := r.post(path+"/again", "same-origin"); code != http.StatusSeeOther {
		t.Fatalf("status %d, want %d", code, http.StatusSeeOther)
	}
	r.untilStatus(one, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "run 1 of") || !strings.Contains(got, "run 2 of") {
		t.Errorf("the log is %q", got)
	}
	states, _ := r.hub.statusesOf(one)
	results := slices.DeleteFunc(states, func(state string) bool { return state == "pending" }) // a result may replace one that waits
	if !slices.Equal(results, []string{"failure", "success"}) {
		t.Errorf("the results are %q", results)
	}

	// What is older than a newer build, unknown, or under way is not built again.
	two := r.repo.commit("main", "two")
	r.push(pushed{before: one, after: two})
	r.untilStatus(two, "success")
	if code := r.post(path+"/again", "same-origin"); code != http.StatusConflict {
		t.Errorf("an older build: status %d, want %d", code, http.StatusConflict)
	}
	if code := r.post("/builds/"+strings.Repeat("0", 32)+"/again", "same-origin"); code != http.StatusNotFound {
		t.Errorf("an unknown build: status %d, want %d", code, http.StatusNotFound)
	}
	if got := r.read(r.runs); got != "run\nrun\nrun\n" {
		t.Errorf("the runs are %q", got)
	}
	r.hub.noFaults(t)
}

// Without -admin-addr everybody who can call the hook could build.
func TestNoBuildAgainWithoutAdminAddress(t *testing.T) {
	r := newRig(t, "true")
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path); strings.Contains(got, "<button>") {
		t.Errorf("the page has a button: %s", got)
	}
	if code := r.post(path+"/again", "same-origin"); code != http.StatusNotFound && code != http.StatusMethodNotAllowed {
		t.Errorf("status %d", code)
	}
}

func TestListOfRepositoryOrBranch(t *testing.T) {
	r := newRig(t, "true", "  - {name: acme/other, remote: '$HUB/git/acme/other.git', branches: ['**'], command: 'true'}\n")
	config := r.read(r.dir + "/github-ci.yaml")
	r.write("github-ci.yaml", strings.ReplaceAll(config, "$HUB", r.hub.URL))
	other := r.hub.repository(t, "acme/other")
	hidden := "a\u202eb"
	for repo, branches := range map[*repository][]string{r.repo: {"main", "release/x"}, other: {"main", hidden}} {
		for _, branch := range branches {
			sha := repo.commit(branch, repo.name+branch)
			if r.p == nil {
				r.start()
			}
			r.push(pushed{repository: repo.name, ref: "refs/heads/" + branch, after: sha, created: true, message: "title \u202e\u009b of " + repo.name})
			r.untilStatus(sha, "success")
		}
	}
	rows := func(query url.Values) int {
		return strings.Count(r.page("/?"+query.Encode()), `<td class="success"`)
	}
	for _, tt := range []struct {
		repository, ref string
		want            int
	}{
		{"", "", 4}, {"acme/app", "", 2}, {"acme/other", "", 2}, {"acme/app", "refs/heads/release/x", 1}, {"", "refs/heads/main", 2}, {"acme/none", "", 0}, {"' OR 1=1 --", "", 0},
	} {
		if got := rows(url.Values{"repository": {tt.repository}, "ref": {tt.ref}}); got != tt.want {
			t.Errorf("repository %q, ref %q: %d builds, want %d", tt.repository, tt.ref, got, tt.want)
		}
	}
	list := r.page("/")
	if !strings.Contains(list, `<a href="?repository=acme%2fapp&amp;ref=refs%2fheads%2frelease%2fx">release/x</a>`) {
		t.Errorf("the list does not link to the builds of a branch: %s", list)
	}
	if strings.Contains(list, "\u202e") || strings.Contains(list, "\u009b") || !strings.Contains(list, "title  of acme/app") || !strings.Contains(list, ">ab</a>") {
		t.Errorf("the list shows characters that change how it is read: %q", list)
	}
}

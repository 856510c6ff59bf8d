package kuduhooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu/kuduhooks"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// The rows of the API, as the wiki documents them and with what is safer here.
func TestAnswersOfTheAPI(t *testing.T) {
	const (
		hook = `{"id":"ID","event":"PostDeployment","url":"https://ci.example.com/a","insecure_ssl":false,` +
			`"last_status":null,"last_reason":null,"last_datetime":"0001-01-01T00:00:00","last_context":null}`
		none    = `{"Message":"there is no such hook"}`
		invalid = `{"Message":"url: it must be an absolute and escaped URL"}`
		noUser  = `{"Message":"url: the user information must be user:password, without a further colon"}`
		want    = `{"Message":"the body must be {\"url\", \"event\", \"insecure_ssl\"}"}`
		noJSON  = `{"Message":"the body is not JSON"}`
	)
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"list", "GET", "/api/hooks", "", 200, "[" + hook + "]"},
		{"list on the deprecated route", "GET", "/hooks", "", 200, "[" + hook + "]"},
		{"list with a slash", "GET", "/hooks/", "", 200, "[" + hook + "]"},
		{"get", "GET", "/api/hooks/ID", "", 200, hook},
		{"get on the deprecated route", "GET", "/hooks/ID", "", 200, hook},
		{"get of no hook", "GET", "/api/hooks/1", "", 404, none},
		{"delete", "DELETE", "/api/hooks/ID", "", 200, ""},
		{"delete on the deprecated route", "DELETE", "/hooks/ID", "", 200, ""},
		{"delete of no hook", "DELETE", "/api/hooks/1", "", 404, none},
		{"an existing hook, in another case and insecure", "POST", "/api/hooks", `{"url":"HTTPS://CI.example.com/A","event":"postdeployment","insecure_ssl":true}`, 201, hook},
		{"an existing hook, with spaces around the URL", "POST", "/hooks", `{"url":" https://ci.example.com/a ","event":"PostDeployment"}`, 201, hook},
		{"the same URL for another event", "POST", "/api/hooks", `{"url":"https://ci.example.com/a","event":"Other"}`, 409, `{"Message":"the URL has a hook for another event"}`},
		{"no body", "POST", "/api/hooks", "", 400, want},
		{"a body of null", "POST", "/api/hooks", "null", 400, want},
		{"a body of another type", "POST", "/api/hooks", `["https://ci.example.com"]`, 400, want},
		{"a body that is not JSON", "POST", "/api/hooks", "{", 400, noJSON},
		{"no URL", "POST", "/api/hooks", `{"event":"e"}`, 400, invalid},
		{"a relative URL", "POST", "/api/hooks", `{"url":"/relative","event":"e"}`, 400, invalid},
		{"a host alone", "POST", "/api/hooks", `{"url":"ci.example.com","event":"e"}`, 400, invalid},
		{"a URL without a host", "POST", "/api/hooks", `{"url":"mailto:a@b.c","event":"e"}`, 400, invalid},
		{"a URL that is not escaped", "POST", "/api/hooks", `{"url":"https://ci.example.com/a b","event":"e"}`, 400, invalid},
		{"a URL with a bad escape", "POST", "/api/hooks", `{"url":"https://ci.example.com/%zz","event":"e"}`, 400, invalid},
		{"a user without a password", "POST", "/api/hooks", `{"url":"https://u@ci.example.com","event":"e"}`, 400, noUser},
		{"a password with a colon", "POST", "/api/hooks", `{"url":"https://u:p:q@ci.example.com","event":"e"}`, 400, noUser},
		{"no event", "POST", "/api/hooks", `{"url":"https://ci.example.com"}`, 400, `{"Message":"event: it is empty"}`},
		{"publish", "POST", "/api/hooks/publish/Any", "{}", 200, ""},
		{"publish without a body", "POST", "/hooks/publish/Any", "", 200, ""},
		{"publish on the route of the wiki", "POST", "/api/hooks/hooks/publish/Any", "{}", 200, ""},
		{"publish of a body that is not JSON", "POST", "/api/hooks/publish/Any", "{", 400, noJSON},
		{"publish of a large body", "POST", "/api/hooks/publish/Any", strings.Repeat(" ", 1<<20) + "1", 413, `{"Message":"the body has more than 1048576 bytes"}`},
		{"publish of an event with a long name", "POST", "/api/hooks/publish/" + strings.Repeat("a", 101), "{}", 400, `{"Message":"event: it has 101 bytes, at most 100 are allowed"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			site := newRig()
			id := subscribe(t, site, "PostDeployment", "https://ci.example.com/a")
			w := do(site, tc.method, strings.Replace(tc.path, "ID", id, 1), tc.body)
			if diff := cmp.Diff(strings.Replace(tc.answer, "ID", id, 1), w.Body.String()); w.Code != tc.status || diff != "" {
				t.Errorf("status %d, want %d (-want +got):\n%s", w.Code, tc.status, diff)
			}
			left := do(site, "GET", "/api/hooks", "").Body.String()
			if (left == "[]") != (tc.method == "DELETE" && tc.status == 200) {
				t.Errorf("left: %s", left)
			}
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	site := newRig()
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"PUT", "/api/hooks/1", 405}, {"DELETE", "/api/hooks", 405}, {"GET", "/api/hooks/publish/x", 405},
		{"GET", "/api/deployments", 404}, {"GET", "/", 404},
	} {
		if w := do(site, tc.method, tc.path, ""); w.Code != tc.status {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, w.Code, tc.status)
		}
	}
}

func TestBodiesThatAreNotJSON(t *testing.T) {
	site := newRig()
	for _, path := range []string{"/api/hooks", "/api/hooks/publish/e"} {
		w := do(site, "POST", path, `{"url":"https://ci.example.com","event":"e"}`, "Content-Type", "text/plain")
		if w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestURLThatThePublisherRefuses(t *testing.T) {
	site := newRig()
	w := do(site, "POST", "/api/hooks", `{"url":"ftp://u:s3cret@ci.example.com/path","event":"e"}`)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "https") || strings.Contains(w.Body.String(), "s3cret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	r := newRig()
	site := kuduhooks.New(r.publisher, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "p" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	for _, path := range []string{"/api/hooks", "/hooks/1", "/elsewhere"} {
		if w := do(site, "GET", path, ""); w.Code != 401 {
			t.Errorf("%s without a password: %d", path, w.Code)
		}
	}
	if w := do(site, "GET", "/api/hooks", "", "Authorization", "Basic OnA="); w.Code != 200 {
		t.Errorf("with the password: %d", w.Code)
	}
	if w := do(r, "POST", "/api/hooks/publish/e", "", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from another site: %d", w.Code)
	}
}

func TestNewNeedsBoth(t *testing.T) {
	p := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	for name, f := range map[string]func(){
		"no publisher": func() { kuduhooks.New(nil, open) },
		"no protect":   func() { kuduhooks.New(p, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestHandlersWithOtherOwners(t *testing.T) {
	r := newRig()
	other := kuduhooks.New(r.publisher, open)
	other.Owner = "site-b"
	id := subscribe(t, r, "e", "https://ci.example.com/a")
	subscribe(t, other, "f", "https://ci.example.com/a") // no conflict
	if w := do(other, "GET", "/api/hooks/"+id, ""); w.Code != 404 {
		t.Errorf("get of another's hook: %d", w.Code)
	}
	if w := do(other, "DELETE", "/api/hooks/"+id, ""); w.Code != 404 {
		t.Errorf("delete of another's hook: %d", w.Code)
	}
	if got := strings.Count(do(other, "GET", "/api/hooks", "").Body.String(), `"id"`); got != 1 {
		t.Errorf("the list has %d hooks", got)
	}
}

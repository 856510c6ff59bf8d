package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// newClient returns the client of a registry that answers with handler to all but the first
// question, whether it is a registry.
func newClient(t *testing.T, user string, password webhook.Secret, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, secret, _ := r.BasicAuth(); name != user || secret != string(password.Reveal()) {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		} else if r.URL.Path != "/v2/" {
			handler(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c, err := New(strings.TrimPrefix(server.URL, "http://"), user, password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		retryAfter string
		missing    bool
		limited    bool
		denied     bool
		after      time.Duration
	}{
		"no such tag":         {status: 404, missing: true},
		"away":                {status: 503},
		"a denied repository": {status: 401, denied: true},
		"a forbidden one":     {status: 403, denied: true},
		// https://docs.docker.com/docker-hub/usage/pulls/: the window is 21600 seconds.
		"limited":             {status: 429, retryAfter: "21600", limited: true, after: 6 * time.Hour},
		"limited for a year":  {status: 429, retryAfter: "31536000", limited: true, after: 6 * time.Hour},
		"limited for no time": {status: 429, limited: true},
		"away until a date":   {status: 503, retryAfter: "Wed, 21 Oct 2015 07:28:00 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, "", webhook.Secret{}, func(w http.ResponseWriter, _ *http.Request) {
				if test.retryAfter != "" {
					w.Header().Set("Retry-After", test.retryAfter)
				}
				w.WriteHeader(test.status)
			})
			_, err := c.Digest(t.Context(), "acme/app", dockerhub.Tag("latest"))
			away, ok := errors.AsType[*target.Unavailable](err)
			switch {
			case test.missing:
				if ok || !errors.Is(err, ErrNotFound) {
					t.Errorf("%v, want ErrNotFound", err)
				}
			case !ok || away.Limited != test.limited || away.Denied != test.denied || max(away.After, 0) != test.after:
				t.Errorf("%v: %+v, want limited %v, denied %v after %s", err, away, test.limited, test.denied, test.after)
			}
		})
	}
}

func TestVersionsAreOfAllPages(t *testing.T) {
	for name, test := range map[string]struct {
		tags string // of a rule
		want []dockerhub.Tag
	}{
		"a range":                    {"^1.4", []dockerhub.Tag{"1.10.0", "1.9.0", "1.4.0"}},
		"a range that takes nothing": {"^3", nil},
		"a glob":                     {"nightly-*", []dockerhub.Tag{"nightly-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, "house", webhook.NewSecret("hook"), func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("last") {
					_, _ = w.Write([]byte(`{"name":"acme/app","tags":["1.4.0","2.0.0","nightly-1"]}`))
					return
				}
				w.Header().Set("Link", `</v2/acme/app/tags/list?last=1.9.0>; rel="next"`)
				_, _ = w.Write([]byte(`{"name":"acme/app","tags":["1.9.0","1.11","1.10.0"]}`))
			})
			r, err := rule.Parse("acme/app:"+test.tags+"=exec:web", "")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Versions(t.Context(), r); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestEndlessListOfTags(t *testing.T) {
	pages := 0
	c := newClient(t, "", webhook.Secret{}, func(w http.ResponseWriter, _ *http.Request) {
		pages++
		w.Header().Set("Link", `</v2/acme/app/tags/list?last=1.0.0>; rel="next"`)
		_, _ = w.Write([]byte(`{"name":"acme/app","tags":["1.0.0"]}`))
	})
	r, err := rule.Parse("acme/app:^1=exec:web", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Versions(t.Context(), r)
	if _, ok := errors.AsType[*target.Unavailable](err); !ok || pages > maxTagPages+1 {
		t.Errorf("%v after %d pages, want an Unavailable after %d", err, pages, maxTagPages)
	}
}

func TestHostOfARegistry(t *testing.T) {
	for host, want := range map[string]string{"": "acme/app", "registry.example.com:5000": "registry.example.com:5000/acme/app", "http://x/": ""} {
		c, err := New(host, "", webhook.Secret{})
		if want == "" {
			if err == nil {
				t.Errorf("%q is accepted", host)
			}
			continue
		}
		if err != nil || c.Repository("acme/app") != want {
			t.Errorf("%q: %v, %v, want %s", host, c, err, want)
		}
	}
}

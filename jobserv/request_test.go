package jobserv_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestClientCallsOnlyItsServers(t *testing.T) {
	called := ""
	record := func(w http.ResponseWriter, r *http.Request) {
		called = r.Host
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	}
	for _, tc := range []struct {
		name, url string
		allowed   bool
	}{
		{"the server", "https://api.example.com/t/", true},
		{"the server with its default port", "https://api.example.com:443/t/", true},
		{"the server in another case", "HTTPS://API.Example.com/t/", true},
		{"the second server", "http://lci-web:8080/t/", true},
		{"http where https was given", "http://api.example.com/t/", false},
		{"https where http was given", "https://lci-web:8080/t/", false},
		{"another port", "https://api.example.com:8443/t/", false},
		{"another host", "https://evil.example.net/t/", false},
		{"a subdomain", "https://x.api.example.com/t/", false},
		{"a host with the server as a prefix", "https://api.example.com.evil.example.net/t/", false},
		{"the server as user information", "https://api.example.com@evil.example.net/t/", false},
		{"user information", "https://a:b@api.example.com/t/", false},
		{"a backslash", `https://evil.example.net\@api.example.com/t/`, false},
		{"another scheme", "file:///etc/passwd", false},
		{"no scheme", "//api.example.com/t/", false},
		{"a path", "/t/", false},
		{"a metadata service", "http://169.254.169.254/latest/", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			called = ""
			c := newClient(token, api+"/some/path", "http://lci-web:8080")
			c.Transport = webhooktest.InMemory(http.HandlerFunc(record))
			_, err := c.Tests(t.Context(), runWith(tc.url))
			if tc.allowed {
				if err != nil || called == "" {
					t.Errorf("got %v, want a call", err)
				}
				return
			}
			if !errors.Is(err, jobserv.ErrHost) || called != "" {
				t.Errorf("got %v and a call to %q, want ErrHost and no call", err, called)
			}
		})
	}
}

func TestRehostCallsTheFirstServer(t *testing.T) {
	var asked []string
	c := client(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.RequestURI())
		if r.URL.Query().Has("again") {
			w.Header().Set("Location", "http://lci-web/t/")
			w.WriteHeader(http.StatusFound)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	})
	c.Rehost = true
	if _, err := c.Tests(t.Context(), runWith("http://lci-web:8080/projects/p%2Fq/t/?again")); err != nil {
		t.Fatal(err)
	}
	want := []string{"api.example.com:443/projects/p%2Fq/t/?again", "api.example.com:443/t/"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := c.Tests(t.Context(), runWith("http://a:b@lci-web/t/")); !errors.Is(err, jobserv.ErrHost) {
		t.Errorf("user information: got %v, want ErrHost", err)
	}
}

func TestTokenHeader(t *testing.T) {
	var got http.Header
	c := client(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	})
	c.TokenHeader = "OSF-TOKEN"
	if _, err := c.Tests(t.Context(), runWith(api+"/t/")); err != nil {
		t.Fatal(err)
	}
	if got.Get("OSF-TOKEN") != "not-a-real-token" || got.Get("Authorization") != "" {
		t.Errorf("got %q and %q", got.Get("OSF-TOKEN"), got.Get("Authorization"))
	}

	c = newClient(webhook.Secret{}, api)
	c.Transport = webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		fmt.Fprint(w, `{"status":"success","data":{"tests":[]}}`)
	}))
	if _, err := c.Tests(t.Context(), runWith(api+"/t/")); err != nil {
		t.Fatal(err)
	}
	if _, ok := got["Authorization"]; ok {
		t.Error("an empty token was sent")
	}
}

func TestClientTimesOutAndStopsOnCancel(t *testing.T) {
	for name, get := range map[string]func(context.Context, *jobserv.Client) error{
		"an answer": func(ctx context.Context, c *jobserv.Client) error {
			_, err := c.Tests(ctx, runWith(api+"/t/"))
			return err
		},
		"a log": func(ctx context.Context, c *jobserv.Client) error {
			_, err := c.Log(ctx, runWith(""))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				start := time.Now()
				if err := get(t.Context(), c); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want DeadlineExceeded", err)
				}
				if took := time.Since(start); took != 30*time.Second {
					t.Errorf("gave up after %v, want 30 s", took)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("shutting down")) })
				if err := get(ctx, c); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want Canceled", err)
				}
			})
		})
	}
}

func TestRefusedRedirects(t *testing.T) {
	tests := func(ctx context.Context, c *jobserv.Client) error {
		_, err := c.Tests(ctx, runWith(api+"/t/"))
		return err
	}
	log := func(ctx context.Context, c *jobserv.Client) error {
		_, err := c.Log(ctx, runWith(""))
		return err
	}
	for _, tc := range []struct {
		name string
		get  func(context.Context, *jobserv.Client) error
		to   string
		want error
	}{
		{"an answer, to another host", tests, "https://storage.example.net/", jobserv.ErrHost},
		{"an answer, to http", tests, "http://api.example.com/", jobserv.ErrHost},
		{"an answer, in a loop", tests, "/again", jobserv.ErrAnswer},
		{"a log, to http", log, "http://storage.example.net/", jobserv.ErrHost},
		{"a log, to http on the server", log, "http://api.example.com/", jobserv.ErrHost},
		{"a log, with user information", log, "https://a:b@storage.example.net/", jobserv.ErrHost},
		{"a log, to a file", log, "file:///etc/passwd", jobserv.ErrHost},
		{"a log, to an invalid URL", log, "https://%", jobserv.ErrAnswer},
		{"a log, in a loop", log, "/again", jobserv.ErrAnswer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			calls := 0
			c := client(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Host != "api.example.com" {
					t.Errorf("%s was called", r.Host)
				}
				w.Header().Set("Location", tc.to)
				w.WriteHeader(http.StatusFound)
			})
			if err := tc.get(t.Context(), c); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if calls > 6 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

package dockerhubtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// ask makes a request and returns the answer and its body.
func ask(t *testing.T, hub *dockerhubtest.Server, method, url string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := webhooktest.InMemory(hub).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// tokenFor returns a token for a repository, as a change of a request that sends it.
func tokenFor(t *testing.T, hub *dockerhubtest.Server, repository string, change func(*http.Request)) func(*http.Request) {
	t.Helper()
	resp, text := ask(t, hub, "GET", "https://auth.docker.io/token?service=registry.docker.io&scope=repository:"+repository+":pull", change)
	var got struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || resp.StatusCode != 200 || got.Token == "" || got.Token != got.AccessToken || got.ExpiresIn < 60 {
		t.Fatalf("%d %s %v", resp.StatusCode, text, err)
	}
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+got.Token) }
}

const manifestURL = "https://registry-1.docker.io/v2/acme/app/manifests/"

func TestAManifestNeedsAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(dockerhubtest.Server)
		digest := hub.Push("acme/app:latest", "kim", "manifest")
		resp, _ := ask(t, hub, "HEAD", manifestURL+"latest", nil)
		const challenge = `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:acme/app:pull"`
		if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || got != challenge {
			t.Errorf("%d, %s", resp.StatusCode, got)
		}
		token := tokenFor(t, hub, "acme/app", nil)
		for _, reference := range []string{"latest", digest} {
			resp, text := ask(t, hub, "HEAD", manifestURL+reference, token)
			if resp.StatusCode != 200 || resp.Header.Get("Docker-Content-Digest") != digest || text != "" || resp.Header.Get("Content-Length") != "8" {
				t.Errorf("HEAD %s: %d %v %q", reference, resp.StatusCode, resp.Header, text)
			}
			if resp, text := ask(t, hub, "GET", manifestURL+reference, token); resp.StatusCode != 200 || text != "manifest" {
				t.Errorf("GET %s: %d %q", reference, resp.StatusCode, text)
			}
		}
		if resp, text := ask(t, hub, "GET", manifestURL+"v9", token); resp.StatusCode != 404 || !strings.Contains(text, `"MANIFEST_UNKNOWN"`) {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		catchuptest.Advance(301 * time.Second) // the lifetime of the token
		if resp, _ := ask(t, hub, "HEAD", manifestURL+"latest", token); resp.StatusCode != 401 {
			t.Errorf("%d with a token that has expired", resp.StatusCode)
		}
	})
}

func TestATokenWithoutAccessIsIssuedAndRefused(t *testing.T) {
	hub := &dockerhubtest.Server{User: "kim", Password: webhook.NewSecret("s3cret")}
	hub.Push("acme/private:latest", "kim", "1")
	hub.Push("acme/app:latest", "kim", "1")
	hub.SetPrivate("acme/private", true)
	for _, tt := range []struct {
		name, repository, asked string
		change                  func(*http.Request)
		want                    int
	}{
		{"public", "acme/app", "acme/app", nil, 200},
		{"private", "acme/private", "acme/private", nil, 401},
		{"no such repository", "acme/none", "acme/none", nil, 401},
		{"of another repository", "acme/app", "acme/private", nil, 401},
		{"with credentials", "acme/private", "acme/private", func(r *http.Request) { r.SetBasicAuth("kim", "s3cret") }, 200},
	} {
		token := tokenFor(t, hub, tt.repository, tt.change)
		resp, _ := ask(t, hub, "HEAD", "https://registry-1.docker.io/v2/"+tt.asked+"/manifests/latest", token)
		isNarrow := strings.HasSuffix(resp.Header.Get("WWW-Authenticate"), `,error="insufficient_scope"`)
		if resp.StatusCode != tt.want || isNarrow != (tt.want == 401) {
			t.Errorf("%s: %d %v", tt.name, resp.StatusCode, resp.Header)
		}
	}
	resp, _ := ask(t, hub, "GET", "https://auth.docker.io/token?service=registry.docker.io", func(r *http.Request) { r.SetBasicAuth("kim", "wrong") })
	if resp.StatusCode != 401 {
		t.Errorf("wrong credentials get %d", resp.StatusCode)
	}
}

func TestAPullCountsAndAHeadDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &dockerhubtest.Server{PullLimit: 2}
		hub.Push("acme/app:latest", "kim", "1")
		token := tokenFor(t, hub, "acme/app", nil)
		for n, want := range []struct {
			method string
			status int
			left   string
		}{{"HEAD", 200, "2;w=21600"}, {"GET", 200, "1;w=21600"}, {"GET", 200, "0;w=21600"}, {"GET", 429, "0;w=21600"}, {"HEAD", 200, "0;w=21600"}} {
			resp, text := ask(t, hub, want.method, manifestURL+"latest", token)
			if resp.StatusCode != want.status || resp.Header.Get("ratelimit-remaining") != want.left || resp.Header.Get("ratelimit-limit") != "2;w=21600" {
				t.Errorf("%d: %d %v", n, resp.StatusCode, resp.Header)
			}
			if resp.StatusCode == 429 && !strings.Contains(text, "You have reached your pull rate limit.") {
				t.Errorf("429 has the body %s", text)
			}
		}
		catchuptest.Advance(6 * time.Hour) // the window
		if resp, _ := ask(t, hub, "GET", manifestURL+"latest", tokenFor(t, hub, "acme/app", nil)); resp.StatusCode != 200 {
			t.Errorf("%d in the next window", resp.StatusCode)
		}
	})
}

// A page is a page of tags.
type page struct {
	Count          int
	Next, Previous *string
	Results        []struct {
		Name, Digest string
		Pusher       string    `json:"last_updater_username"`
		Updated      time.Time `json:"last_updated"`
	}
}

func TestTagsArePagedNewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(dockerhubtest.Server)
		for n := range 250 {
			hub.Push(fmt.Sprintf("acme/app:v%d", n), "kim", strconv.Itoa(n))
			catchuptest.Advance(time.Second)
		}
		next, got, pages := "https://hub.docker.com/v2/namespaces/acme/repositories/app/tags?page_size=500", 0, 0
		for next != "" {
			resp, text := ask(t, hub, "GET", next, nil)
			var p page
			if err := json.Unmarshal([]byte(text), &p); err != nil || resp.StatusCode != 200 || p.Count != 250 || (p.Previous == nil) != (pages == 0) {
				t.Fatalf("%s: %d %v %s", next, resp.StatusCode, err, text)
			}
			for _, tag := range p.Results {
				if want := fmt.Sprintf("v%d", 249-got); tag.Name != want || tag.Pusher != "kim" || tag.Digest != dockerhubtest.Digest(strconv.Itoa(249-got)) {
					t.Fatalf("tag %d is %+v, want %s", got, tag, want)
				}
				got++
			}
			pages++
			if next = ""; p.Next != nil {
				next = *p.Next
			}
		}
		if got != 250 || pages != 3 {
			t.Errorf("%d tags on %d pages, want 250 on 3", got, pages)
		}
		for path, want := range map[string]int{"app/tags/v7": 200, "app/tags": 200, "app/tags?page=26": 404, "app/tags/none": 404, "none/tags": 404} {
			if resp, text := ask(t, hub, "GET", "https://hub.docker.com/v2/namespaces/acme/repositories/"+path, nil); resp.StatusCode != want {
				t.Errorf("%s: %d %s, want %d", path, resp.StatusCode, text, want)
			}
		}
	})
}

func TestTheAPILimitsTheRequestsOfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &dockerhubtest.Server{APILimit: 3}
		hub.Push("acme/app:latest", "kim", "1")
		const url = "https://hub.docker.com/v2/namespaces/acme/repositories/app/tags/latest"
		var resp *http.Response
		for range 3 {
			if resp, _ = ask(t, hub, "GET", url, nil); resp.StatusCode != 200 {
				t.Fatalf("%d", resp.StatusCode)
			}
		}
		if got := resp.Header.Get("X-RateLimit-Remaining"); got != "0" {
			t.Errorf("%s requests are left", got)
		}
		resp, _ = ask(t, hub, "GET", url, nil)
		until, err := strconv.ParseInt(resp.Header.Get("X-Retry-After"), 10, 64)
		if resp.StatusCode != 429 || err != nil || time.Until(time.Unix(until, 0)) != time.Minute {
			t.Fatalf("%d %v", resp.StatusCode, resp.Header)
		}
		catchuptest.Advance(time.Minute) // the window
		if resp, _ = ask(t, hub, "GET", url, nil); resp.StatusCode != 200 {
			t.Errorf("%d in the next minute", resp.StatusCode)
		}
	})
}

func TestFailuresAreInTheirOrder(t *testing.T) {
	hub := &dockerhubtest.Server{Scheme: "Basic", User: "kim", Password: webhook.NewSecret("s3cret")}
	hub.Push("acme/app:latest", "kim", "1")
	hub.Fail(1, dockerhubtest.Failure{Path: "/v2/acme/app/manifests/other", Status: 418})
	hub.Fail(2, dockerhubtest.Failure{Status: 503, RetryAfter: time.Minute, Body: "<html>"})
	signIn := func(r *http.Request) { r.SetBasicAuth("kim", "s3cret") }
	for n, want := range []int{503, 503, 200} {
		resp, _ := ask(t, hub, "HEAD", manifestURL+"latest", signIn)
		if resp.StatusCode != want || (want == 503) != (resp.Header.Get("Retry-After") == "60") {
			t.Errorf("%d: %d %v", n, resp.StatusCode, resp.Header)
		}
	}
	hub.StopFailing()
	if resp, _ := ask(t, hub, "HEAD", manifestURL+"other", signIn); resp.StatusCode != 404 {
		t.Errorf("%d after StopFailing", resp.StatusCode)
	}
	resp, _ := ask(t, hub, "GET", "https://registry-1.docker.io/v2/", nil)
	if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || !strings.HasPrefix(got, "Basic ") {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	all := hub.Requests()
	if last := all[len(all)-1]; len(all) != 5 || last.Path != "/v2/" || last.Host != "registry-1.docker.io" || last.Status != 401 {
		t.Errorf("requests %+v", all)
	}
}

package githubtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const path = "repos/acme/app/hooks/7"

// newServer returns a server with a hook whose calls get the status.
func newServer(status int) *githubtest.Server {
	receiver := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	s := &githubtest.Server{Token: webhook.NewSecret("token"), Transport: webhooktest.InMemory(receiver)}
	s.AddHook(path, githubtest.Hook{URL: "http://receiver/", Secret: webhook.NewSecret("secret")})
	return s
}

// ask makes a request with the token and decodes the answer.
func ask(t *testing.T, s *githubtest.Server, method, target string, into any, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://api.github.com/"+target, nil)
	r.Header.Set("Authorization", "Bearer token")
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	resp := w.Result()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s %s: %v: %s", method, target, err, text)
		}
	}
	return resp
}

type entry struct {
	ID         int64     `json:"id"`
	GUID       string    `json:"guid"`
	At         time.Time `json:"delivered_at"`
	Redelivery bool      `json:"redelivery"`
	Status     string    `json:"status"`
	StatusCode int       `json:"status_code"`
	Event      string    `json:"event"`
	Action     *string   `json:"action"`
}

func TestDeliveriesAreListedNewestFirstInPages(t *testing.T) {
	s := newServer(503)
	for n := range 7 {
		s.Send(t.Context(), path, "push", fmt.Appendf(nil, `{"action":"a","n":%d}`, n))
	}
	var ids []int64
	cursor := ""
	for pages := 1; ; pages++ {
		var page []entry
		resp := ask(t, s, "GET", path+"/deliveries?per_page=3"+cursor, &page)
		for _, e := range page {
			ids = append(ids, e.ID)
			if e.Status == "OK" || e.StatusCode != 503 || e.Event != "push" || *e.Action != "a" || e.Redelivery || e.GUID == "" {
				t.Errorf("entry %+v", e)
			}
		}
		_, after, more := strings.Cut(resp.Header.Get("Link"), "cursor=")
		if !more {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		if pages == 1 {
			s.Send(t.Context(), path, "push", []byte(`{}`)) // shifts no page
		}
		id, _, _ := strings.Cut(after, "&")
		cursor = "&cursor=" + id
	}
	if diff := cmp.Diff([]int64{7, 6, 5, 4, 3, 2, 1}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestARedeliveryHasTheGUIDOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(202)
		first := s.Send(t.Context(), path, "push", []byte(`{"b": 1, "a": 12345678901234567}`))
		if resp := ask(t, s, "POST", path+"/deliveries/1/attempts", nil); resp.StatusCode != 202 {
			t.Errorf("status %d, want 202", resp.StatusCode)
		}
		if n := len(s.Deliveries(path)); n != 1 {
			t.Errorf("%d deliveries before the call, want 1", n)
		}
		s.Wait()
		again := s.Deliveries(path)[0]
		if again.GUID != first.GUID || again.ID != 2 || !again.Redelivery || again.Status != "OK" {
			t.Errorf("the redelivery is %+v", again)
		}
		var whole struct {
			Request struct {
				Headers map[string]string
				Payload json.RawMessage
			}
		}
		ask(t, s, "GET", path+"/deliveries/2", &whole)
		if got := string(whole.Request.Payload); got != `{"a":12345678901234567,"b":1}` {
			t.Errorf("payload %s", got)
		}
		if h := whole.Request.Headers; h["X-Github-Delivery"] != first.GUID || h["X-Hub-Signature-256"] == "" {
			t.Errorf("headers %v", h)
		}
	})
}

func TestAnUnchangedListIs304AndCostsNothing(t *testing.T) {
	s := newServer(202)
	s.Send(t.Context(), path, "push", []byte(`{}`))
	resp := ask(t, s, "GET", path+"/deliveries", nil)
	etag := resp.Header.Get("ETag")
	for range 3 {
		resp = ask(t, s, "GET", path+"/deliveries", nil, "If-None-Match", etag)
		if left := resp.Header.Get("X-RateLimit-Remaining"); resp.StatusCode != 304 || left != "4999" {
			t.Errorf("status %d, %s left, want 304 and 4999", resp.StatusCode, left)
		}
	}
	s.Send(t.Context(), path, "push", []byte(`{}`))
	if resp = ask(t, s, "GET", path+"/deliveries", nil, "If-None-Match", etag); resp.StatusCode != 200 {
		t.Errorf("status %d after another event, want 200", resp.StatusCode)
	}
}

func TestTheRateLimitEndsAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(202)
		s.RateLimit = 2
		for n, want := range []int{200, 200, 403, 403} {
			if resp := ask(t, s, "GET", path+"/deliveries", nil); resp.StatusCode != want {
				t.Errorf("request %d: status %d, want %d", n, resp.StatusCode, want)
			}
		}
		catchuptest.Advance(time.Hour)
		if resp := ask(t, s, "GET", path+"/deliveries", nil); resp.StatusCode != 200 {
			t.Errorf("after an hour: status %d, want 200", resp.StatusCode)
		}
	})
}

func TestDeliveriesAreListedForThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(202)
		s.Send(t.Context(), path, "push", []byte(`{}`))
		catchuptest.Advance(3*24*time.Hour - time.Second)
		if n := len(s.Deliveries(path)); n != 1 {
			t.Errorf("%d deliveries before three days, want 1", n)
		}
		catchuptest.Advance(time.Second)
		if resp := ask(t, s, "POST", path+"/deliveries/1/attempts", nil); resp.StatusCode != 404 || len(s.Deliveries(path)) != 0 {
			t.Errorf("status %d and %d deliveries after three days", resp.StatusCode, len(s.Deliveries(path)))
		}
	})
}

func TestErrorsHaveTheFormsOfGitHub(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, token string
		change                      func(s *githubtest.Server)
		status                      int
		message                     string
	}{
		{"another token", "GET", path + "/deliveries", "Bearer other", nil, 401, "Bad credentials"},
		{"a token for the App's hook", "GET", "app/hook/deliveries", "Bearer token", nil, 401, "Bad credentials"},
		{"no such hook", "GET", "repos/acme/app/hooks/8/deliveries", "token token", nil, 404, "Not Found"},
		{"a removed hook", "GET", path + "/deliveries", "Bearer token", func(s *githubtest.Server) { s.RemoveHook(path) }, 404, "Not Found"},
		{"no right to write", "POST", path + "/deliveries/1/attempts", "Bearer token", func(s *githubtest.Server) { s.ReadOnly = true }, 403, "Resource not accessible by personal access token"},
		{"a failure", "GET", path + "/deliveries", "Bearer token", func(s *githubtest.Server) { s.Fail(1, githubtest.Failure{Status: 502, Message: "Server Error"}) }, 502, "Server Error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(202)
			s.Send(t.Context(), path, "push", []byte(`{}`))
			if tt.change != nil {
				tt.change(s)
			}
			var failure struct{ Message string }
			if resp := ask(t, s, tt.method, tt.target, &failure, "Authorization", tt.token); resp.StatusCode != tt.status || failure.Message != tt.message {
				t.Errorf("status %d, %q, want %d, %q", resp.StatusCode, failure.Message, tt.status, tt.message)
			}
		})
	}
}

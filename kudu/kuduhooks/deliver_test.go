package kuduhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestRequestToAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		site.run(t)
		subscribe(t, site, "PostDeployment", "https://ci.example.com/A?b=c")
		subscribe(t, site, "Other", "https://ci.example.com/other")
		const body = "{ \"ID\": 1,\r\n \"é\":\"x\" } "
		if w := do(site, "POST", "/api/hooks/publish/POSTdeployment", body); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		wait()
		if len(site.calls) != 1 {
			t.Fatalf("calls: %+v", site.calls)
		}
		got := site.calls[0]
		if got.url != "https://ci.example.com/A" || got.body != body {
			t.Errorf("%s %q", got.url, got.body)
		}
		if contentType := got.header["Content-Type"]; !cmp.Equal(contentType, []string{"application/json; charset=utf-8"}) {
			t.Errorf("Content-Type %q", contentType)
		}
		for _, name := range []string{"Authorization", "Webhook-Signature"} {
			if got.header.Get(name) != "" {
				t.Errorf("%s is set", name)
			}
		}
	})
}

// Kudu sends credentials after a challenge only, and does not decode them.
func TestCredentialsAfterAChallenge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		site.answer = func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "p%40ss" {
				w.Header().Set("WWW-Authenticate", `Basic realm="ci"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
		site.run(t)
		id := subscribe(t, site, "e", "https://us%20er:p%40ss@ci.example.com/a")
		do(site, "POST", "/api/hooks/publish/e", "1")
		wait()
		var seen []string
		for _, c := range site.calls {
			seen = append(seen, c.header.Get("Authorization")+" "+c.body)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("us%20er", "p%40ss")
		if diff := cmp.Diff([]string{" 1", r.Header.Get("Authorization") + " 1"}, seen); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		want := fmt.Sprintf(`{"id":"%s","event":"e","url":"https://us%%20er:p%%40ss@ci.example.com/a","insecure_ssl":false,`+
			`"last_status":"NoContent","last_reason":"No Content","last_datetime":"2000-01-01T00:00:00Z","last_context":"1"}`, id)
		got := do(site, "GET", "/hooks/"+id, "").Body.String()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the hook (-want +got):\n%s", diff)
		}
		if list := do(site, "GET", "/hooks", "").Body.String(); list != "["+want+"]" {
			t.Errorf("the list: %s", list)
		}
	})
}

// The password is a secret of the endpoint, and nowhere else.
func TestPasswordIsASecret(t *testing.T) {
	site := newRig()
	id := subscribe(t, site, "e", "https://user:s3cret@ci.example.com/a")
	e, err := site.publisher.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if e.URL != "https://ci.example.com/a" || e.Scheme != "basic" || string(e.Secrets[0].Reveal()) != "user:s3cret" {
		t.Errorf("%s %s %d", e.URL, e.Scheme, len(e.Secrets))
	}
	text, err := json.Marshal(e)
	if all := fmt.Sprintf("%v %+v %s", e, e, text); err != nil || strings.Contains(all, "s3cret") {
		t.Errorf("%s %v", all, err)
	}
}

func TestLastAttempts(t *testing.T) {
	for _, tc := range []struct {
		name           string
		answer         http.HandlerFunc
		status, reason string
	}{
		{"200", nil, "OK", "OK"},
		{"429", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "429", "Too Many Requests"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "Failure", "publish: no answer in time: after 15s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := newRig()
				site.answer = tc.answer
				site.run(t)
				id := subscribe(t, site, "e", "https://ci.example.com/a")
				do(site, "POST", "/api/hooks/publish/e", "")
				catchuptest.Advance(16 * time.Second)
				want := `"last_status":"` + tc.status + `","last_reason":"` + tc.reason + `","last_datetime":"2000-01-01T00:00:00Z","last_context":"null"}`
				if got := do(site, "GET", "/api/hooks/"+id, "").Body.String(); !strings.HasSuffix(got, want) {
					t.Errorf("got %s, want ... %s", got, want)
				}
			})
		})
	}
}

func TestDisabledHookIsResumedByANewPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		site.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
		site.run(t)
		id := subscribe(t, site, "e", "https://ci.example.com/a")
		do(site, "POST", "/api/hooks/publish/e", "1")
		wait()
		state := func() publish.State {
			e, err := site.publisher.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return e.State
		}
		if got := state(); got != publish.Disabled {
			t.Fatalf("after 410: %s", got)
		}
		do(site, "POST", "/api/hooks/publish/e", "2")
		wait()
		if n := len(site.calls); n != 1 {
			t.Errorf("%d calls while disabled", n)
		}
		if again := subscribe(t, site, "e", "https://ci.example.com/a"); again != id || state() != publish.Active {
			t.Errorf("hook %s is %s", again, state())
		}
	})
}

// A program publishes its own events, and each name has a type of its own.
func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		site.run(t)
		names := []string{"PostDeployment", "a b", "ÄÖ", "a.b", "*", "x-2a", "x-782d3261", "a"}
		for i, name := range names {
			subscribe(t, site, name, fmt.Sprintf("https://ci.example.com/%d", i))
		}
		for i, name := range names {
			if _, err := site.publisher.Publish(t.Context(), site.Event(strings.ToLower(name), i)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		wait()
		got := make(map[string]string)
		for _, c := range site.calls {
			got[c.url] += c.body
		}
		want := make(map[string]string)
		for i := range names {
			want[fmt.Sprintf("https://ci.example.com/%d", i)] = fmt.Sprint(i)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bodies (-want +got):\n%s", diff)
		}
		for _, name := range []string{"", strings.Repeat("a", 101)} {
			if _, err := site.publisher.Publish(t.Context(), site.Event(name, nil)); err == nil {
				t.Errorf("%q is published", name)
			}
		}
	})
}

// The receiver of package kudu takes what is sent here.
func TestSourceOfPackageKuduTakesADeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newRig()
		var got []string
		var mux webhook.Mux
		webhook.On(&mux, func(_ context.Context, e *webhook.Event[kudu.Deployment]) error {
			got = append(got, e.Payload.ID+" "+string(e.Payload.Status))
			return nil
		})
		source := kudu.BasicSource(webhook.NewSecret("a-long-password"))
		site.answer = webhook.NewReceiver(source, &mux).ServeHTTP
		site.run(t)
		subscribe(t, site, kudu.EventPostDeployment, "https://user:a-long-password@ci.example.com/a")
		e := site.Event(kudu.EventPostDeployment, kudu.Deployment{ID: "9f2c", Status: kudu.StatusFailed})
		if _, err := site.publisher.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		wait()
		if diff := cmp.Diff([]string{"9f2c failed"}, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

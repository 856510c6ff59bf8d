package webhooktest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// challenging answers a call without credentials with 401 and WWW-Authenticate.
func challenging(header string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if header != "" {
			w.Header().Set("WWW-Authenticate", header)
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestKuduSendsCredentialsOnlyAfterAChallenge(t *testing.T) {
	for _, tc := range []struct {
		name      string
		userinfo  string
		challenge string
		want      []int
		user      string
		password  string
	}{
		{"user and password", "ci:pass@", `Basic realm="webhook"`, []int{401, 202}, "ci", "pass"},
		{"another case of the scheme", "ci:pass@", `basic`, []int{401, 202}, "ci", "pass"},
		{"one challenge of several", "ci:pass@", `Digest qop="auth", Basic realm="x"`, []int{401, 202}, "ci", "pass"},
		{"percent-encoding is kept", "ci:p%40ss@", `Basic realm="x"`, []int{401, 202}, "ci", "p%40ss"},
		{"an empty password", "ci:@", `Basic`, []int{401, 202}, "ci", ""},
		{"no challenge", "ci:pass@", "", []int{401}, "", ""},
		{"a challenge of another scheme", "ci:pass@", `Bearer realm="Basic"`, []int{401}, "", ""},
		{"a password with a colon", "ci:pa:ss@", `Basic realm="x"`, []int{401}, "", ""},
		{"a user alone", "ci@", `Basic realm="x"`, []int{401}, "", ""},
		{"no user information", "", `Basic realm="x"`, []int{401}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target, got := server(t, challenging(tc.challenge))
			target = strings.Replace(target, "http://", "http://"+tc.userinfo, 1)
			result := new(webhooktest.Kudu).Deliver(t.Context(), target+"/hooks/kudu", body)
			if result.Err != nil || len(result.Attempts) != 1 {
				t.Fatalf("got %+v, want one attempt", result)
			}
			if diff := cmp.Diff(tc.want, result.Attempts[0].Statuses); diff != "" {
				t.Fatalf("statuses (-want +got):\n%s", diff)
			}
			if (*got)[0].header.Get("Authorization") != "" {
				t.Error("the first request has credentials")
			}
			for i, r := range *got {
				if r.body != string(body) || r.method != http.MethodPost {
					t.Errorf("request %d: got %s %q", i, r.method, r.body)
				}
			}
			last := http.Request{Header: (*got)[len(*got)-1].header}
			if user, password, _ := last.BasicAuth(); user != tc.user || password != tc.password {
				t.Errorf("got %q and %q, want %q and %q", user, password, tc.user, tc.password)
			}
		})
	}
}

func TestKuduSendsOnlyTheContentType(t *testing.T) {
	target, got := server(t, status(http.StatusOK))
	new(webhooktest.Kudu).Deliver(t.Context(), target, body)
	want := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Content-Length": {"8"}}
	if diff := cmp.Diff(want, (*got)[0].header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestKuduMakesOneAttemptAndCountsAnyAnswerAsSuccess(t *testing.T) {
	for _, code := range []int{200, 204, 304, 400, 404, 410, 500} {
		calls := 0
		k := webhooktest.Kudu{Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(code)
		}))}
		result := k.Deliver(t.Context(), "http://ci.test/", body)
		if calls != 1 || !result.Delivered || result.Attempts[0].Status != code || result.Gone != (code == 410) {
			t.Errorf("%d: got %+v after %d calls", code, result, calls)
		}
	}
}

func TestKuduGivesUpAfterTenSecondsInTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		k := webhooktest.Kudu{Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			select {
			case <-time.After(6 * time.Second):
				challenging("Basic")(w, r)
			case <-r.Context().Done():
			}
		}))}
		start := time.Now()
		result := k.Deliver(t.Context(), "http://ci:pass@ci.test/", body)
		if took := time.Since(start); took != 10*time.Second || calls.Load() != 2 {
			t.Errorf("gave up after %v and %d calls, want 10 s and 2", took, calls.Load())
		}
		if result.Delivered || !errors.Is(result.Attempts[0].Err, context.DeadlineExceeded) || len(result.Attempts) != 1 {
			t.Errorf("got %+v", result)
		}
	})
}

func TestKuduFollowsRedirectsWithoutCredentials(t *testing.T) {
	for code, method := range map[int]string{301: "GET", 302: "GET", 303: "GET", 307: "POST"} {
		target, got := server(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/new":
			case r.Header.Get("Authorization") == "":
				challenging("Basic")(w, r)
			default:
				w.Header().Set("Location", "/new")
				w.WriteHeader(code)
			}
		})
		result := new(webhooktest.Kudu).Deliver(t.Context(), strings.Replace(target, "http://", "http://ci:pass@", 1), body)
		if diff := cmp.Diff([]int{401, code, 200}, result.Attempts[0].Statuses); diff != "" || !result.Delivered {
			t.Fatalf("%d: statuses (-want +got):\n%s", code, diff)
		}
		last := (*got)[2]
		if last.method != method || last.header.Get("Authorization") != "" || (last.body == "") != (method == "GET") {
			t.Errorf("%d: got %s %q with %v", code, last.method, last.body, names(last.header))
		}
	}
}

func TestReceiverWithBasicAuthAcceptsKudu(t *testing.T) {
	var rec webhooktest.Recorder
	src := signed(&webhook.BasicAuth{User: "ci", Keys: webhook.Keys(webhook.NewSecret("pass"))})
	k := webhooktest.Kudu{Transport: webhooktest.InMemory(webhook.NewReceiver(src, &rec))}
	result := k.Deliver(t.Context(), "http://ci:pass@ci.test/", body)
	if diff := cmp.Diff([]int{401, 202}, result.Attempts[0].Statuses); diff != "" || rec.Count() != 1 {
		t.Errorf("%d deliveries, want 1; statuses (-want +got):\n%s", rec.Count(), diff)
	}
	if result := k.Deliver(t.Context(), "http://ci:wrong@ci.test/", body); result.Attempts[0].Status != 401 || rec.Count() != 1 {
		t.Errorf("a wrong password: got %+v", result)
	}
}

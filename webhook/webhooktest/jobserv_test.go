package webhooktest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func jobservMAC() *webhook.HMAC {
	return &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: webhook.Keys(secret)}
}

func TestJobServSendsTheHeadersOfPythonRequests(t *testing.T) {
	target, got := server(t, status(http.StatusAccepted))
	result := (&webhooktest.JobServ{Secret: secret}).Deliver(t.Context(), target+"/hooks/jobserv", body)
	if !result.Delivered || len(result.Attempts) != 1 || len(*got) != 1 {
		t.Fatalf("got %+v and %d calls", result, len(*got))
	}
	want := &http.Request{Header: http.Header{
		"Accept":          {"*/*"},
		"Accept-Encoding": {"gzip, deflate"},
		"Connection":      {"keep-alive"},
		"Content-Length":  {"8"},
		"Content-Type":    {"application/json"},
		"User-Agent":      {"python-requests/2.32.5"},
	}}
	if err := jobservMAC().Sign(want, body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Header, (*got)[0].header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestJobServMakesUpToFourEqualAttempts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers []int // 0 means a broken connection
		waits   []time.Duration
		want    bool
	}{
		{"the first succeeds", []int{202}, []time.Duration{0}, true},
		{"the second succeeds", []int{500, 200}, []time.Duration{0, 1}, true},
		{"the fourth succeeds", []int{503, 0, 404, 202}, []time.Duration{0, 1, 3, 7}, true},
		{"none succeeds", []int{503, 503, 503, 503, 202}, []time.Duration{0, 1, 3, 7}, false},
		{"a status below 400", []int{399}, []time.Duration{0}, true},
		{"not modified", []int{304}, []time.Duration{0}, true},
		{"a redirect without Location", []int{302}, []time.Duration{0}, true},
		{"gone", []int{410, 410, 410, 410}, []time.Duration{0, 1, 3, 7}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var at []time.Duration
				var signatures []string
				j := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					code := tc.answers[len(at)]
					at = append(at, time.Since(start))
					signatures = append(signatures, r.Header.Get("X-JobServ-Sig"))
					if code == 0 {
						panic(http.ErrAbortHandler)
					}
					w.WriteHeader(code)
				}))}
				result := j.Deliver(t.Context(), "http://ci.test/", body)
				if result.Delivered != tc.want || len(result.Attempts) != len(tc.waits) || result.Err != nil {
					t.Fatalf("got %+v, want %d attempts, delivered: %v", result, len(tc.waits), tc.want)
				}
				for i, a := range result.Attempts {
					want := tc.waits[i] * time.Second
					if at[i] != want || a.At.Sub(start) != want {
						t.Errorf("attempt %d at %v, reported as %v, want %v", i, at[i], a.At.Sub(start), want)
					}
					if a.Status != tc.answers[i] || (a.Err != nil) != (a.Status == 0) {
						t.Errorf("attempt %d: got %d, %v, want %d", i, a.Status, a.Err, tc.answers[i])
					}
					if signatures[i] != signatures[0] || signatures[0] == "" {
						t.Errorf("attempt %d has signature %q, the first %q", i, signatures[i], signatures[0])
					}
				}
			})
		})
	}
}

func TestJobServHasNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(24 * time.Hour)
			w.WriteHeader(http.StatusOK)
		}))}
		if result := j.Deliver(t.Context(), "http://ci.test/", body); !result.Delivered || len(result.Attempts) != 1 {
			t.Errorf("got %+v", result)
		}
	})
}

func TestJobServStopsWhenItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		j := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(status(503))}
		result := j.Deliver(ctx, "http://ci.test/", body)
		if !errors.Is(result.Err, context.DeadlineExceeded) || len(result.Attempts) != 2 || result.Delivered {
			t.Errorf("got %+v", result)
		}
	})
}

func TestJobServWithoutASecretSendsNothing(t *testing.T) {
	result := new(webhooktest.JobServ).Deliver(t.Context(), "http://ci.test/", body)
	if !errors.Is(result.Err, webhooktest.ErrNoSecret) || len(result.Attempts) != 0 || result.Delivered {
		t.Errorf("got %+v", result)
	}
}

func TestJobServCountsALoginPageAsSuccess(t *testing.T) {
	target, got := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			w.Header().Set("Location", "/login")
			w.WriteHeader(http.StatusFound)
		}
	})
	result := (&webhooktest.JobServ{Secret: secret}).Deliver(t.Context(), target+"/hooks", body)
	if !result.Delivered || len(result.Attempts) != 1 {
		t.Fatalf("got %+v", result)
	}
	if diff := cmp.Diff([]int{302, 200}, result.Attempts[0].Statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	last := (*got)[1]
	if last.method != http.MethodGet || last.uri != "/login" || last.body != "" {
		t.Errorf("got %s %s %q, want a GET without body", last.method, last.uri, last.body)
	}
	if last.header.Get("X-JobServ-Sig") == "" || last.header.Get("Content-Type") != "" || last.header.Get("Content-Length") != "" {
		t.Errorf("got %v, want the signature and no header of a body", last.header)
	}
}

func TestJobServSendsTheBodyAgainAfter307And308(t *testing.T) {
	for _, code := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		target, got := server(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old" {
				w.Header().Set("Location", "new")
				w.WriteHeader(code)
			}
		})
		result := (&webhooktest.JobServ{Secret: secret}).Deliver(t.Context(), target+"/old", body)
		last := (*got)[1]
		if !result.Delivered || last.method != http.MethodPost || last.uri != "/new" || last.body != string(body) ||
			last.header.Get("Content-Type") != "application/json" {
			t.Errorf("%d: got %+v and %+v", code, result, last)
		}
	}
}

func TestJobServFollowsThirtyRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(http.RedirectHandler("/again", http.StatusFound))}
		result := j.Deliver(t.Context(), "http://ci.test/", body)
		if result.Delivered || len(result.Attempts) != 4 {
			t.Fatalf("got %d attempts, delivered: %v", len(result.Attempts), result.Delivered)
		}
		a := result.Attempts[0]
		if !errors.Is(a.Err, webhooktest.ErrRedirects) || len(a.Statuses) != 31 || a.Status != 0 {
			t.Errorf("got %v after %d answers, want ErrRedirects after 31", a.Err, len(a.Statuses))
		}
	})
}

func TestReceiverAcceptsJobServ(t *testing.T) {
	var rec webhooktest.Recorder
	s := httptest.NewServer(webhook.NewReceiver(signed(jobservMAC()), &rec))
	defer s.Close()
	result := (&webhooktest.JobServ{Secret: secret}).Deliver(t.Context(), s.URL, body)
	got, err := rec.Wait(t.Context(), 1)
	if err != nil || !result.Delivered || len(got) != 1 || string(got[0].Body) != string(body) {
		t.Errorf("got %+v and %d deliveries, %v", result, len(got), err)
	}
}

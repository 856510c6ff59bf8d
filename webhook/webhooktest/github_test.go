package webhooktest_test

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A request is a request that a server got.
type request struct {
	method, uri, body string
	header            http.Header
}

// server starts a server on the loopback interface, which records requests and
// answers with a handler. Read the requests after the sender has returned.
func server(t *testing.T, answer http.HandlerFunc) (url string, got *[]request) {
	t.Helper()
	got = new([]request)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		*got = append(*got, request{r.Method, r.RequestURI, string(text), r.Header})
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func names(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

func TestGitHubSendsItsElevenHeaders(t *testing.T) {
	target, got := server(t, status(http.StatusAccepted))
	g := webhooktest.GitHub{Secret: secret, HookID: 42, TargetType: "organization", TargetID: 7}
	result := g.Deliver(t.Context(), target+"/hooks/github?x=1", "push", body)
	if !result.Delivered || result.Err != nil || len(result.Attempts) != 1 || result.Attempts[0].Status != http.StatusAccepted {
		t.Fatalf("got %+v", result)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(result.GUID) {
		t.Errorf("GUID: got %q", result.GUID)
	}
	r := (*got)[0]
	keys := webhook.Keys(secret)
	want := &http.Request{Header: http.Header{
		"Accept":                                 {"*/*"},
		"Content-Length":                         {"8"},
		"Content-Type":                           {"application/json"},
		"User-Agent":                             {"GitHub-Hookshot/0000000"},
		"X-Github-Delivery":                      {result.GUID},
		"X-Github-Event":                         {"push"},
		"X-Github-Hook-Id":                       {"42"},
		"X-Github-Hook-Installation-Target-Id":   {"7"},
		"X-Github-Hook-Installation-Target-Type": {"organization"},
	}}
	for _, mac := range []*webhook.HMAC{
		{Header: "X-Hub-Signature", Prefix: "sha1=", Hash: sha1.New, Keys: keys},
		{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys},
	} {
		if err := mac.Sign(want, body); err != nil {
			t.Fatal(err)
		}
	}
	if len(want.Header) != 11 {
		t.Fatalf("the test expects %d headers, want 11", len(want.Header))
	}
	if diff := cmp.Diff(want.Header, r.header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if r.method != http.MethodPost || r.uri != "/hooks/github?x=1" || r.body != string(body) {
		t.Errorf("got %s %s %q", r.method, r.uri, r.body)
	}
}

// The test vector is in GitHub's documentation.
func TestGitHubSignsThePublishedVector(t *testing.T) {
	target, got := server(t, status(http.StatusOK))
	g := webhooktest.GitHub{Secret: webhook.NewSecret("It's a Secret to Everybody")}
	g.Deliver(t.Context(), target, "push", []byte("Hello, World!"))
	h := (*got)[0].header
	if h.Get("X-Hub-Signature-256") != "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" ||
		h.Get("X-Hub-Signature") != "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59" {
		t.Errorf("got %v", h)
	}
}

func TestGitHubWithoutASecretSendsNoSignature(t *testing.T) {
	target, got := server(t, status(http.StatusOK))
	new(webhooktest.GitHub).Deliver(t.Context(), target, "ping", body)
	h := (*got)[0].header
	if len(h) != 9 || h.Get("X-Hub-Signature-256") != "" || h.Get("X-Hub-Signature") != "" {
		t.Errorf("got %v, want nine headers and no signature", names(h))
	}
	if h.Get("X-Github-Hook-Installation-Target-Type") != "repository" || h.Get("X-Github-Hook-Id") != "1" {
		t.Errorf("got %v", h)
	}
}

func TestGitHubSignsTheEncodedForm(t *testing.T) {
	mac := &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: webhook.Keys(secret)}
	var rec webhooktest.Recorder
	receiver := webhook.NewReceiver(signed(mac), &rec)
	text := []byte(`{"zen": "a+b & c=d %41"}`)
	g := webhooktest.GitHub{Secret: secret, Form: true, Transport: webhooktest.InMemory(receiver)}
	if result := g.Deliver(t.Context(), "http://ci.test/", "ping", text); !result.Delivered {
		t.Fatalf("got %+v", result)
	}
	d := rec.Deliveries()[0]
	if want := "payload=" + url.QueryEscape(string(text)); string(d.Body) != want {
		t.Errorf("body: got %s, want %s", d.Body, want)
	}
	if doc, err := d.Document(); err != nil || !bytes.Equal(doc, text) {
		t.Errorf("document: got %s, %v", doc, err)
	}
}

func TestGitHubMakesOneAttemptAndRequires2xx(t *testing.T) {
	for code, want := range map[int]bool{
		200: true, 202: true, 204: true, 299: true, 301: false, 302: false, 304: false, 307: false, 400: false, 410: false, 503: false,
	} {
		calls := 0
		g := webhooktest.GitHub{Transport: webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}))}
		result := g.Deliver(t.Context(), "http://ci.test/", "push", body)
		if result.Delivered != want || calls != 1 || result.Attempts[0].Status != code || result.Gone != (code == 410) {
			t.Errorf("%d: got %+v after %d calls, want delivered: %v", code, result, calls, want)
		}
	}
}

func TestTruncatedAnswerIsAFailure(t *testing.T) {
	target, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
	})
	result := new(webhooktest.GitHub).Deliver(t.Context(), target, "push", body)
	if result.Delivered || len(result.Attempts) != 1 || !errors.Is(result.Attempts[0].Err, io.ErrUnexpectedEOF) {
		t.Errorf("got %+v", result)
	}
}

func TestGitHubGivesUpAfterTenSeconds(t *testing.T) {
	for _, tc := range []struct {
		set, want time.Duration
	}{{0, 10 * time.Second}, {30 * time.Second, 30 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			g := webhooktest.GitHub{Timeout: tc.set, Transport: webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
			}))}
			start := time.Now()
			result := g.Deliver(t.Context(), "http://ci.test/", "push", body)
			if took := time.Since(start); took != tc.want {
				t.Errorf("got %v, want %v", took, tc.want)
			}
			if result.Delivered || len(result.Attempts) != 1 || !errors.Is(result.Attempts[0].Err, context.DeadlineExceeded) {
				t.Errorf("got %+v", result)
			}
		})
	}
}

func TestGitHubNeverSendsMoreThan25MB(t *testing.T) {
	calls := 0
	g := webhooktest.GitHub{Transport: webhooktest.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))}
	result := g.Deliver(t.Context(), "http://ci.test/", "push", make([]byte, 25<<20+1))
	if !errors.Is(result.Err, webhooktest.ErrTooLarge) || result.Delivered || len(result.Attempts) != 0 || calls != 0 {
		t.Errorf("got %v, %d attempts and %d calls", result.Err, len(result.Attempts), calls)
	}
	if result := g.Deliver(t.Context(), "http://ci.test/", "push", make([]byte, 25<<20)); !result.Delivered {
		t.Errorf("25 MB: got %v", result.Err)
	}
}

func TestRedeliveryHasTheSameGUID(t *testing.T) {
	var ids []string
	g := webhooktest.GitHub{Transport: webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.Header.Get("X-GitHub-Delivery"))
	}))}
	first := g.Deliver(t.Context(), "http://ci.test/", "push", body)
	again := g.Redeliver(t.Context(), first.GUID, "http://ci.test/", "push", body)
	other := g.Deliver(t.Context(), "http://ci.test/", "push", body)
	if diff := cmp.Diff([]string{first.GUID, first.GUID, other.GUID}, ids); diff != "" || again.GUID != first.GUID {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if other.GUID == first.GUID {
		t.Error("two events have the same GUID")
	}
}

func TestEverySenderReportsABadTarget(t *testing.T) {
	for name, deliver := range map[string]func(string) webhooktest.Result{
		"GitHub": func(u string) webhooktest.Result {
			return new(webhooktest.GitHub).Deliver(t.Context(), u, "push", body)
		},
		"JobServ": func(u string) webhooktest.Result {
			return (&webhooktest.JobServ{Secret: secret}).Deliver(t.Context(), u, body)
		},
		"Kudu":      func(u string) webhooktest.Result { return new(webhooktest.Kudu).Deliver(t.Context(), u, body) },
		"DockerHub": func(u string) webhooktest.Result { return new(webhooktest.DockerHub).Deliver(t.Context(), u, body) },
	} {
		for _, target := range []string{"", "/hooks", "ftp://h/", "http://", "http://h:port/tok3n"} {
			result := deliver(target)
			if !errors.Is(result.Err, webhooktest.ErrTarget) || result.Delivered || len(result.Attempts) != 0 {
				t.Errorf("%s to %q: got %+v, want ErrTarget", name, target, result)
			}
			if bytes.Contains([]byte(result.Err.Error()), []byte("tok3n")) {
				t.Errorf("%s: the error contains the target: %v", name, result.Err)
			}
		}
	}
}

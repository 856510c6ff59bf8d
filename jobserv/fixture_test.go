package jobserv_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// fixture returns a file in testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signatureOf returns the value of X-JobServ-Sig that JobServ sends with body.
func signatureOf(t testing.TB, secret webhook.Secret, body []byte) string {
	t.Helper()
	r := &http.Request{Header: make(http.Header)}
	if err := jobserv.Verifier(webhook.Keys(secret)...).Sign(r, body); err != nil {
		t.Fatal(err)
	}
	return r.Header.Get("X-JobServ-Sig")
}

// builds returns the notifications in testdata, and the shared ones, by file name.
func builds(t testing.TB) map[string][]byte {
	t.Helper()
	own, err := filepath.Glob(filepath.Join("testdata", "build.*.json"))
	if err != nil || len(own) < 6 {
		t.Fatalf("testdata has %d builds (%v), want at least 6", len(own), err)
	}
	all := make(map[string][]byte)
	for _, path := range append(own, samples.Shared(t, "jobserv/build.*.json")...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if !strings.HasPrefix(path, "testdata") {
			name = "shared " + name
		}
		all[name] = text
	}
	return all
}

const api = "https://api.example.com"

var token = webhook.NewSecret("not-a-real-token")

// client returns a Client for api whose Transport sends all calls to h.
func client(h http.HandlerFunc) *jobserv.Client {
	c := newClient(token, api)
	c.Transport = webhooktest.InMemory(h)
	return c
}

// answering returns a handler that gives every call the same answer.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// newClient returns a Client for servers with valid URLs.
func newClient(token webhook.Secret, servers ...string) *jobserv.Client {
	c, err := jobserv.NewClient(token, servers...)
	if err != nil {
		panic(err)
	}
	return c
}

func runWith(tests string) jobserv.Run {
	return jobserv.Run{Name: "build", URL: api + "/projects/p/builds/1/runs/build/", TestsURL: wire.Some(tests)}
}

func decode(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
}

func readLog(t testing.TB, c *jobserv.Client, r jobserv.Run) string {
	t.Helper()
	log, err := c.Log(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Close(), log.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// open returns the Delivery of a signed call with the body.
func open(t testing.TB, body []byte) *webhook.Delivery {
	t.Helper()
	src := source(t, webhook.NewSecret(vectorSecret))
	d, err := src.Open(webhooktest.NewRequest(src, "/hooks/jobserv", body), body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// source returns a validated Source, as NewReceiver needs it.
func source(t testing.TB, secrets ...webhook.Secret) webhook.Source {
	t.Helper()
	src := jobserv.Source(secrets...)
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	return src
}

func build(t testing.TB, file string) jobserv.Build {
	t.Helper()
	var b jobserv.Build
	if err := json.Unmarshal(fixture(t, file), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

package github_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

const secretText = "It's a Secret to Everybody"

var secret = webhook.NewSecret(secretText)

// A fixture is a body. Its name is "<event>.<description>".
type fixture struct {
	name, event string
	body        []byte
}

// fixtures returns the bodies in testdata and the shared ones.
func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	own, err := filepath.Glob("testdata/*.json")
	if err != nil || len(own) == 0 {
		tb.Fatalf("no testdata: %v", err)
	}
	var all []fixture
	for _, path := range append(own, samples.Shared(tb, "github/*/*.json")...) {
		body, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		event, _, _ := strings.Cut(name, ".")
		if decoders[event] == nil && !strings.HasSuffix(event, "_dispatch") {
			tb.Fatalf("%s: there is no decoder for %q", path, event)
		}
		all = append(all, fixture{name, event, body})
	}
	return all
}

// own returns a body in testdata.
func own(tb testing.TB, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// decoders has the decoder of each payload type by the name of the event.
var decoders = map[string]func(*webhook.Delivery) (webhook.Payload, error){
	"push":              decodeAs[github.Push],
	"ping":              decodeAs[github.Ping],
	"create":            decodeAs[github.Create],
	"delete":            decodeAs[github.Delete],
	"pull_request":      decodeAs[github.PullRequest],
	"release":           decodeAs[github.Release],
	"workflow_run":      decodeAs[github.WorkflowRun],
	"check_run":         decodeAs[github.CheckRun],
	"status":            decodeAs[github.Status],
	"deployment_status": decodeAs[github.DeploymentStatus],
	"registry_package":  decodeAs[github.RegistryPackage],
}

func decodeAs[T webhook.Payload](d *webhook.Delivery) (webhook.Payload, error) {
	e, err := webhook.Decode[T](d)
	if err != nil {
		return nil, err
	}
	return e.Payload, nil
}

// newRequest returns an unsigned request with a JSON body.
func newRequest(event string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks/github", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(github.DeliveryHeader, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	if event != "" {
		r.Header.Set(github.EventHeader, event)
	}
	return r
}

// formOf returns the body of a hook with form encoding.
func formOf(doc []byte) []byte {
	return []byte("payload=" + url.QueryEscape(string(doc)))
}

func sign(tb testing.TB, r *http.Request, body []byte) {
	tb.Helper()
	if err := github.Verifier(webhook.Keys(secret)...).Sign(r, body); err != nil {
		tb.Fatal(err)
	}
}

// open signs the request and returns its Delivery.
func open(tb testing.TB, r *http.Request, body []byte) *webhook.Delivery {
	tb.Helper()
	sign(tb, r, body)
	return samples.Open(tb, github.Source(secret), r, body)
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// generic decodes text and keeps all digits of numbers.
func generic(tb testing.TB, text []byte) map[string]any {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		tb.Fatal(err)
	}
	return v
}

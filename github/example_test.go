package github_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

const examplePush = `{
	"ref": "refs/heads/main",
	"before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
	"after": "1f0c1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b",
	"repository": {"full_name": "tidewater/harbour", "pushed_at": 1709208000},
	"commits": [
		{"added": ["quay.go"], "removed": [], "modified": ["README.md"]},
		{"added": [], "removed": ["pier.go"], "modified": []}
	]
}`

// post sends a delivery as GitHub does and returns the status of the answer.
func post(h http.Handler, secret webhook.Secret, event, body string) int {
	return postTo(h, "/hooks/github", secret, event, body)
}

func postTo(h http.Handler, path string, secret webhook.Secret, event, body string) int {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(github.EventHeader, event)
	r.Header.Set(github.DeliveryHeader, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	if err := github.Verifier(webhook.Keys(secret)...).Sign(r, []byte(body)); err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// This program has a typed callback that runs inside the request. To run it
// after the answer, pass webhook.Store(inbox) to the Receiver and &mux to a
// Worker.
func Example() {
	secret := webhook.NewSecret("It's a Secret to Everybody")
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[github.Push]) error {
		branch, ok := e.Payload.Branch()
		if !ok || e.Payload.IsDeleted() {
			return webhook.ErrIgnored
		}
		fmt.Println("build", e.Payload.Repository.FullName, branch, e.Payload.After)
		return nil
	})
	h := webhook.NewReceiver(github.Source(secret), &mux)

	fmt.Println(post(h, secret, "push", examplePush))
	// Output:
	// build tidewater/harbour main 1f0c1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b
	// 202
}

// This Source accepts two secrets during a rotation. Delivery.KeyLabel is the
// label of the one with which a call is signed.
func ExampleSource() {
	oldSecret, newSecret := webhook.NewSecret("last year's secret"), webhook.NewSecret("this year's secret")
	src := github.Source()
	src.Verifier = github.Verifier(
		webhook.Key{Label: "2026", Secret: newSecret},
		webhook.Key{Label: "2025", Secret: oldSecret},
	)
	h := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, "about", d.OrderingKey, "signed with", d.KeyLabel)
		return nil
	}))

	fmt.Println(post(h, oldSecret, "push", examplePush))
	fmt.Println(post(h, newSecret, "push", examplePush))
	// Output:
	// github.push about tidewater/harbour refs/heads/main signed with 2025
	// 202
	// github.push about tidewater/harbour refs/heads/main signed with 2026
	// 202
}

// This program changes the decision for two events. A push runs again when
// somebody tests the hook. If two publications of a release have the same
// bytes, the program drops the second one, so that a captured one does not run
// again.
func ExampleSource_duplicates() {
	src := github.Source(webhook.NewSecret("It's a Secret to Everybody"))
	describe := src.Describe
	src.Describe = func(r *http.Request, body []byte) webhook.Description {
		about := describe(r, body)
		switch about.Type {
		case "github.push":
			about.DedupBySignature = false
		case "github.release": // the body may be a form, which Decode decodes too
			e, err := webhook.Decode[github.Release](&webhook.Delivery{Header: r.Header, Body: body})
			about.DedupBySignature = err == nil && e.Payload.IsPublished()
		}
		return about
	}

	r := httptest.NewRequest(http.MethodPost, "/hooks/github", nil)
	for _, call := range []struct{ event, body string }{
		{"push", examplePush},
		{"release", `{"action":"published","release":{"tag_name":"v1"}}`},
		{"release", `{"action":"edited","release":{"tag_name":"v1"}}`},
	} {
		r.Header.Set(github.EventHeader, call.event)
		fmt.Println(call.event, src.Describe(r, []byte(call.body)).DedupBySignature)
	}
	// Output:
	// push false
	// release true
	// release false
}

// Only signed calls reach an http.Handler behind the middleware.
func ExampleSource_middleware() {
	secret := webhook.NewSecret("It's a Secret to Everybody")
	h := github.Source(secret).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		e, err := webhook.Decode[github.Push](d)
		if err != nil {
			http.Error(w, "not a push", http.StatusBadRequest)
			return
		}
		fmt.Println(e.Payload.Ref)
		w.WriteHeader(http.StatusNoContent)
	}))

	fmt.Println(post(h, secret, "push", examplePush))
	// Output:
	// refs/heads/main
	// 204
}

func ExamplePush_ChangedFiles() {
	e, err := webhook.Decode[github.Push](&webhook.Delivery{Body: []byte(examplePush)})
	if err != nil {
		fmt.Println(err)
		return
	}
	added, modified, removed := e.Payload.ChangedFiles()
	fmt.Println(added, modified, removed, "complete:", e.Payload.CommitsComplete())
	// Output: [quay.go] [README.md] [pier.go] complete: true
}

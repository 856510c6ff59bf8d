package jobserv_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

const exampleBody = `{"build_id": 67, "url": "https://api.example.com/projects/acme/lmp/builds/67/", "status": "FAILED", ` +
	`"runs": [{"name": "build-amd64", "url": "https://api.example.com/projects/acme/lmp/builds/67/runs/build-amd64/", "status": "PASSED"}, ` +
	`{"name": "test", "url": "https://api.example.com/projects/acme/lmp/builds/67/runs/test/", "status": "FAILED"}], ` +
	`"created": "2021-07-26T18:10:33+00:00", "completed": "2021-07-26T18:19:24+00:00"}`

func Example() {
	secret := webhook.NewSecret("UseSomethingGoodHere")

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[jobserv.Build]) error {
		b := e.Payload
		fmt.Printf("%s #%d: %s after %v\n", b.Project(), b.BuildID, b.Result(), b.Duration())
		for _, r := range b.Failed() {
			fmt.Println("failed:", r.Name, r.Log())
		}
		return nil
	})
	http.Handle("/hooks/jobserv", webhook.NewReceiver(jobserv.Source(secret), &mux))

	// JobServ makes this call when a build is complete.
	r := httptest.NewRequest(http.MethodPost, "/hooks/jobserv", strings.NewReader(exampleBody))
	r.Header.Set("Content-Type", "application/json")
	if err := jobserv.Verifier(webhook.Keys(secret)...).Sign(r, []byte(exampleBody)); err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// acme/lmp #67: FAILED after 8m51s
	// failed: test https://api.example.com/projects/acme/lmp/builds/67/runs/test/console.log
	// 202
}

// An http.Handler behind the middleware gets the verified delivery from the
// request's context.
func ExampleSource_middleware() {
	secret := webhook.NewSecret("UseSomethingGoodHere")
	h := jobserv.Source(secret).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		e, err := webhook.Decode[jobserv.Build](d)
		if err != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		fmt.Println(e.Payload.Project(), e.Payload.Passed())
		w.WriteHeader(http.StatusNoContent)
	}))

	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(exampleBody))
	r.Header.Set("Content-Type", "application/json")
	if err := jobserv.Verifier(webhook.Keys(secret)...).Sign(r, []byte(exampleBody)); err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// acme/lmp false
	// 204
}

// This program prints the end of the console log of each failed run. A test
// server takes the place of JobServ.
func ExampleClient_LogTail() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "make: compiling\nmake: linking\nmake: *** error 2\n")
	}))
	defer server.Close()
	failed := []jobserv.Run{{Name: "test", URL: server.URL + "/projects/acme/lmp/builds/67/runs/test/", Status: jobserv.Failed}}

	token := webhook.NewSecret("a token of the API")
	client, err := jobserv.NewClient(token, server.URL) // for Foundries.io: "https://api.foundries.io"
	if err != nil {
		fmt.Println(err)
		return
	}
	client.TokenHeader = "OSF-TOKEN"
	for _, r := range failed {
		tail, err := client.LogTail(context.Background(), r, 20)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s", r.Name, tail)
	}
	// Output:
	// test: make: *** error 2
}

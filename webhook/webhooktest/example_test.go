package webhooktest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// This tests the receiver of a custom source. The test need not know how the source
// is signed.
func ExampleNewRequest() {
	src := webhook.Source{
		Name: "shop",
		Verifier: &webhook.HMAC{
			Header: "X-Shop-Signature",
			Keys:   webhook.Keys(webhook.NewSecret("a shared secret")),
		},
	}
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Printf("%s: %s\n", d.Source, d.Body)
		return nil
	}))

	r := webhooktest.NewRequest(src, "/hooks/shop", []byte(`{"order": 7}`))
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// shop: {"order": 7}
	// 202
}

// The wildcard in the target is replaced by the token.
func ExampleNewRequest_token() {
	src := webhook.Source{
		Name:     "registry",
		Verifier: &webhook.Token{PathValue: "token", Keys: webhook.Keys(webhook.NewSecret("tok3n"))},
	}
	r := webhooktest.NewRequest(src, "/hooks/registry/{token}", nil)
	fmt.Println(r.URL.Path)
	// Output:
	// /hooks/registry/tok3n
}

// JobServ follows a redirect to a login page and counts the event as delivered.
func ExampleJobServ() {
	mux := http.NewServeMux()
	mux.Handle("/hooks/jobserv", http.RedirectHandler("/login", http.StatusFound))
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "who are you?") })
	server := httptest.NewServer(mux)
	defer server.Close()

	sender := webhooktest.JobServ{Secret: webhook.NewSecret("a shared secret")}
	result := sender.Deliver(context.Background(), server.URL+"/hooks/jobserv", []byte(`{"build_id": 1}`))
	fmt.Println("delivered:", result.Delivered)
	fmt.Println("answers:", result.Attempts[0].Statuses)
	// Output:
	// delivered: true
	// answers: [302 200]
}

// This tests a receiver with a Recorder in place of its callback.
func ExampleRecorder() {
	var rec webhooktest.Recorder
	src := webhook.Source{Name: "shop", Verifier: &webhook.InsecureAcceptAll{}}
	receiver := webhook.NewReceiver(src, &rec)

	sender := webhooktest.DockerHub{Calls: 3, Transport: webhooktest.InMemory(receiver)}
	sender.Deliver(context.Background(), "http://ci.test/hooks", []byte(`{}`))

	deliveries, err := rec.Wait(context.Background(), 3)
	fmt.Println(len(deliveries), err)
	// Output:
	// 3 <nil>
}

package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/webhook"
)

// A probe checks the inbox and the Workers together. Here the Worker does not
// run yet.
func ExampleHealthHandler() {
	inbox := new(webhook.MemInbox)
	worker := webhook.NewWorker(inbox, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))

	http.Handle("/healthz", webhook.HealthHandler(inbox, worker))

	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest("GET", "/healthz", nil))
	var report struct {
		OK       bool
		Problems []string
	}
	err := json.Unmarshal(answer.Body.Bytes(), &report)
	fmt.Println(answer.Code, report.OK, report.Problems, err)
	// Output: 503 false [worker 1 does not run] <nil>
}

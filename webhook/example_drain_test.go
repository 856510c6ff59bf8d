package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// drainForCron is the whole work of a command that cron starts, say every five minutes:
//
//	*/5 * * * *  flock -n /run/hooks.lock hooks-drain
//
// It ends before cron starts the next one: it claims nothing after four minutes, and the
// callbacks have Worker.ShutdownTimeout to finish. A larger backlog is left for the next
// one.
func drainForCron(inbox webhook.Queue, handler webhook.Handler) error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	worker := webhook.NewWorker(inbox, handler)
	worker.ShutdownTimeout = 30 * time.Second
	err := worker.Drain(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Print("there is more to do: ", err)
		return nil
	}
	return err // main exits with a status other than 0, so that cron sends a mail
}

// A command under cron works what is due and exits. Receivers in another process store
// the deliveries meanwhile.
func ExampleWorker_Drain() {
	inbox := new(webhook.MemInbox) // in a real command, the database of the Receivers
	for _, id := range []string{"1", "2"} {
		_ = inbox.Put(context.Background(), &webhook.Delivery{UID: id, Source: "ci", Type: "ci.build", OrderingKey: "main", Body: []byte(`{"id": ` + id + `}`)})
	}
	var handler webhook.Mux
	webhook.On(&handler, func(_ context.Context, e *webhook.Event[Build]) error {
		fmt.Println("build", e.Payload.ID)
		return nil
	})
	fmt.Println(drainForCron(inbox, &handler))
	// Output:
	// build 1
	// build 2
	// <nil>
}

// newFunction returns the handler of a serverless function. Its platform may stop the
// process as soon as a request is answered, so no Worker can run between requests:
//
//   - A sender's request is stored and answered at once. It does not wait for callbacks:
//     a sender waits a few seconds only.
//   - A timer of the platform calls /drain every minute, with a token of its own. That
//     request is answered when nothing is due any more, or when its budget is used up.
func newFunction(inbox webhook.Inbox, handler webhook.Handler) http.Handler {
	worker := webhook.NewWorker(inbox, handler)
	worker.ShutdownTimeout = 5 * time.Second
	timer := webhook.Source{
		Name:     "timer",
		Verifier: &webhook.Token{Header: "Authorization", Prefix: "Bearer ", Keys: webhook.Keys(webhook.NewSecret("t1mer"))},
	}
	drain := func(w http.ResponseWriter, r *http.Request) {
		// The platform ends the request after 60 s: that is this budget, ShutdownTimeout,
		// and some seconds to spare.
		ctx, cancel := context.WithTimeout(r.Context(), 50*time.Second)
		defer cancel()
		err := worker.Drain(ctx)
		switch {
		case errors.Is(err, webhook.ErrRunning), errors.Is(err, context.DeadlineExceeded):
			fmt.Fprintln(w, "the next call continues") // another request drains, or there is more
		case err != nil:
			log.Print(err)
			http.Error(w, "not drained", http.StatusInternalServerError)
		default:
			fmt.Fprintln(w, "drained")
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/hooks/ci/{token}", webhook.NewReceiver(ciSource(webhook.NewSecret("s3cret")), webhook.Store(inbox)))
	mux.Handle("/drain", timer.Middleware(http.HandlerFunc(drain)))
	return mux
}

// A serverless function stores deliveries as they arrive, and drains the inbox when a
// timer of its platform calls it.
func ExampleWorker_Drain_serverless() {
	var handler webhook.Mux
	webhook.On(&handler, func(_ context.Context, e *webhook.Event[Build]) error {
		fmt.Println("build", e.Payload.ID, e.Payload.Status)
		return nil
	})
	function := newFunction(new(webhook.MemInbox), &handler) // on a platform, an inbox on PostgreSQL

	call := func(path, token, body string) {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		function.ServeHTTP(w, r)
		fmt.Println(path, w.Code)
	}
	call("/hooks/ci/s3cret", "", `{"id": 42, "status": "passed"}`)
	call("/drain", "guessed", "")
	call("/drain", "t1mer", "")
	// Output:
	// /hooks/ci/s3cret 202
	// /drain 401
	// build 42 passed
	// /drain 200
}

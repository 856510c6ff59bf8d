package webhook_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestWorkerNamesItselfInFailedAttempts(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": fmt.Sprintf("%s:%d", host, os.Getpid()), "builder-1": "builder-1"} {
		synctestRun(t, "named "+name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			d := putDelivery(t, in, "a", nil)
			w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
				work(3 * time.Second)
				return errBoom
			}))
			w.Name = name
			defer start(t, w)()
			begin := time.Now()
			advance(3500 * time.Millisecond)
			r, err := in.Get(t.Context(), d.UID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]webhook.Attempt{{
				Number: 1, At: begin, Took: 3 * time.Second, State: webhook.Waiting, Reason: "boom", By: want,
			}}, r.Attempts); diff != "" {
				t.Fatalf("r.Attempts (-want +got):\n%s", diff)
			}
		})
	}
}

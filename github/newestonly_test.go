package github_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A broken push fails at each try, and one minute later its fix is pushed. By default the
// fix waits until the broken push is dead. With NewestOnly it is deployed at once.
func TestABrokenDeployDoesNotBlockItsFix(t *testing.T) {
	newest := map[string]webhook.Coalesce{github.Push{}.EventType(): webhook.NewestOnly()}
	for name, test := range map[string]struct {
		types    map[string]webhook.Coalesce
		from, to time.Duration // when the fix is deployed, after it was pushed
		broken   webhook.State
	}{
		"by default":      {nil, 90 * time.Minute, 190 * time.Minute, webhook.Dead},
		"with NewestOnly": {newest, 0, time.Second, webhook.Superseded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, states := deployBrokenAndFixed(t, test.types)
				if took < test.from || took > test.to {
					t.Errorf("the fix was deployed after %v, want %v to %v", took, test.from, test.to)
				}
				want := map[string]webhook.State{
					"broken": test.broken, "fixed": webhook.Done, "opened": webhook.Done, "edited": webhook.Done,
				}
				if diff := cmp.Diff(want, states); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// deployBrokenAndFixed returns how long after its push the fix was deployed, and the
// states of all deliveries in the end.
func deployBrokenAndFixed(t *testing.T, types map[string]webhook.Coalesce) (took time.Duration, states map[string]webhook.State) {
	inbox := new(webhook.MemInbox)
	source := github.Source(secret)
	source.CoalesceTypes = types
	receiver := webhook.NewReceiver(source, webhook.Store(inbox))
	quiet := slog.New(slog.DiscardHandler)
	var pushed, deployed time.Time
	tries := make(map[string]int)
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[github.Push]) error {
		if e.Payload.After == "broken" {
			return errors.New("it does not build")
		}
		deployed = time.Now()
		return nil
	})
	mux.Route("github.pull_request", webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		if tries[d.ID]++; tries[d.ID] < 3 {
			return errors.New("not yet")
		}
		return nil
	}))
	worker := webhook.NewWorker(inbox, &mux)
	worker.Logger, receiver.Logger = quiet, quiet
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- worker.Run(ctx) }()
	deliver := func(event, id, body string) {
		r := webhooktest.NewRequest(source, "/hooks/github", []byte(body), github.EventHeader, event, github.DeliveryHeader, id)
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			t.Errorf("%s: answered %d", id, w.Code)
		}
	}
	push := func(commit string) {
		deliver("push", commit, fmt.Sprintf(`{"ref":"refs/heads/main","after":%q,"repository":{"full_name":"acme/app"}}`, commit))
	}
	pullRequest := func(action string) {
		deliver("pull_request", action, fmt.Sprintf(`{"action":%q,"number":1,"pull_request":{"id":1},"repository":{"full_name":"acme/app"}}`, action))
	}
	push("broken")
	pullRequest("opened")
	catchuptest.Advance(time.Minute)
	pushed = time.Now()
	push("fixed")
	pullRequest("edited")
	catchuptest.Advance(4 * time.Hour)
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	states = make(map[string]webhook.State)
	for r, err := range inbox.All(t.Context(), webhook.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		states[r.Delivery.ID] = r.State
	}
	return deployed.Sub(pushed), states
}

package publish_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestRunIsRefusedTwiceAndWithABadSchedule(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Schedule = []time.Duration{time.Second, -1}
		if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Schedule[1]") {
			t.Errorf("Run = %v, want an error that names the wait", err)
		}
		r.Schedule = nil
		r.start()
		advance(time.Second)
		if err := r.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
			t.Errorf("a second Run = %v, want ErrRunning", err)
		}
	})
}

func TestTheWorkersShowTheHealth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		health := webhook.HealthHandler(r.inbox, r.Workers()...)
		probe := func() int {
			w := httptest.NewRecorder()
			health.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
			return w.Code
		}
		if code := probe(); code != http.StatusServiceUnavailable {
			t.Errorf("%d before Run, want 503", code)
		}
		r.start()
		advance(2 * time.Second)
		if code := probe(); code != http.StatusOK {
			t.Errorf("%d while it runs, want 200", code)
		}
	})
}

func TestOldAttemptsAreDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Retention = time.Hour
		r.create("a")
		r.start()
		for range 3 {
			r.publish(publish.Event{})
			advance(40 * time.Minute)
		}
		advance(20 * time.Minute)
		if n := len(r.attempts("a")); n != 1 {
			t.Errorf("%d attempts are left, want the one of the last hour", n)
		}
	})
}

func TestAFailingEndpointLogsNoError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Schedule = []time.Duration{time.Second}
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		r.publish(publish.Event{})
		advance(time.Minute)
		if r.states("a")[webhook.Dead] != 1 {
			t.Errorf("deliveries %v, want one dead", r.states("a"))
		}
		if log := r.log.String(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, "delivery is dead") {
			t.Errorf("the log has an error, or lacks the dead delivery:\n%s", log)
		}
	})
}

func TestAnEndpointHasItsOwnNumberOfAttempts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Schedule = []time.Duration{time.Second, time.Minute}
		for name, n := range map[string]int{"one": 1, "default": 0, "five": 5} {
			r.create(name, func(e *publish.Endpoint) { e.MaxAttempts = n })
			r.net.at(name, status(400))
		}
		r.start()
		r.publish(publish.Event{})
		advance(time.Hour)
		for name, want := range map[string]int{"one": 1, "default": 3, "five": 5} {
			if got := len(r.net.to(name)); got != want {
				t.Errorf("%s: %d attempts, want %d", name, got, want)
			}
		}
	})
}

func TestEventsOfACallbackBelongToItsTrace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		inbox := &webhook.MemInbox{Logger: r.logger}
		var mux webhook.Mux
		mux.Route("builds.done", webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			_, err := r.Publish(ctx, publish.Event{Type: "build.done"})
			return err
		}))
		d := webhook.NewDelivery("builds", "builds.done", "", nil)
		d.Header = http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := webhook.NewWorker(inbox, &mux).Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.start()
		advance(time.Second)
		for rec, err := range r.inbox.All(t.Context(), webhook.Filter{Bodies: true}) {
			if err != nil || rec.Delivery.Header.Get("Traceparent") != d.Header.Get("Traceparent") {
				t.Errorf("%s has the Traceparent %q, %v", rec.Delivery.Type, rec.Delivery.Header.Get("Traceparent"), err)
			}
		}
		if len(r.net.to("a")) != 1 || r.net.to("a")[0].header.Get("Traceparent") != "" {
			t.Errorf("calls %+v, want one that shows the trace to nobody", r.net.to("a"))
		}
	})
}

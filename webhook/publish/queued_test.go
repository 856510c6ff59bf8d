package publish_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A broker is a queue behind a wire: it has what was encoded, it cannot claim some types only, and
// it takes an event that has ended in it again.
type broker struct {
	webhook.MemInbox

	mu    sync.Mutex
	away  bool
	tries int // to hand it something
}

func (b *broker) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if o.Types != nil {
		return nil, errors.ErrUnsupported
	}
	return b.MemInbox.Claim(ctx, o)
}

func (b *broker) NextDue(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
	if o.Types != nil {
		return 0, errors.ErrUnsupported
	}
	return b.MemInbox.NextDue(ctx, o)
}

// Handle puts a delivery into the queue, unless the broker is away.
func (b *broker) Handle(ctx context.Context, d *webhook.Delivery) error {
	b.mu.Lock()
	b.tries++
	away := b.away
	b.mu.Unlock()
	if away {
		return webhook.ErrNotStored
	}
	raw, err := d.MarshalBinary()
	if err != nil {
		return err
	}
	var arrived webhook.Delivery
	if err := arrived.UnmarshalBinary(raw); err != nil {
		return err
	}
	if _, err := b.Sweep(ctx); err != nil {
		return err
	}
	return b.Put(ctx, &arrived)
}

func (b *broker) setAway(away bool) (tries int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tries, b.away, b.tries = b.tries, away, 0
	return tries
}

// queue makes the Publisher take its events from a broker, and runs as many relays to it.
func (r *rig) queue(relays int) *broker {
	b := &broker{MemInbox: webhook.MemInbox{Retention: 1, Logger: r.logger}}
	r.Events = b
	for range relays {
		relay := spool.NewRelay(r.inbox, b)
		relay.Types, relay.Logger = []string{r.EventType()}, r.logger
		ctx, cancel := context.WithCancel(r.t.Context())
		ended := make(chan error, 1)
		go func() { ended <- relay.Run(ctx) }()
		r.t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				r.t.Errorf("Relay: %v", err)
			}
		})
	}
	return b
}

// Requests are the same whether events pass a broker or not, and whether the outbox can be asked for
// them or not.
func TestEventsOfAQueueAreSentAsThoseOfTheOutbox(t *testing.T) {
	type request struct{ typ, content, body, trace string }
	large := strings.Repeat("x", 100<<10)
	send := func(t *testing.T, setUp func(r *rig)) (requests []request) {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			setUp(r)
			r.create("a", func(e *publish.Endpoint) { e.Owner = "ada" })
			r.create("other", func(e *publish.Endpoint) { e.Owner = "bob" })
			r.start()
			events := []publish.Event{
				{Type: "comment.created", Payload: "one", Key: "k", Once: "o"},
				{Type: "comment.created", Payload: "one", Key: "k", Once: "o"},
				{Type: "file.stored", Payload: []byte(large), ContentType: "text/plain"},
				{Type: "comment.deleted", Payload: "three", Key: "k"},
			}
			for _, e := range events {
				e.Owner = "ada"
				d := webhook.NewDelivery("test", "test.call", "", nil)
				d.Header = http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
				calls := &webhook.MemInbox{Logger: r.logger}
				if err := calls.Put(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				var mux webhook.Mux
				mux.Route("test.call", webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
					_, err := r.Publish(ctx, e)
					return err
				}))
				if err := webhook.NewWorker(calls, &mux).Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				advance(time.Minute)
			}
			traces := make(map[string]string)
			for rec, err := range r.inbox.All(t.Context(), webhook.Filter{Type: "publish.delivery", Bodies: true}) {
				if err != nil {
					t.Fatal(err)
				}
				event, _ := strings.CutSuffix(rec.Delivery.UID, "-a")
				traces["msg_"+event] = rec.Delivery.Header.Get("Traceparent")
				if r.Events != nil && rec.Delivery.Header.Get("Publish-Size") != "" && len(rec.Delivery.Body) > 0 {
					t.Errorf("a delivery has a body of %d bytes beside its size", len(rec.Delivery.Body))
				}
			}
			for _, c := range r.net.to("a") {
				requests = append(requests, request{c.header.Get("Webhook-Type"), c.header.Get("Content-Type"), c.body, traces[c.header.Get("Webhook-Id")]})
			}
			if n := len(r.net.to("other")); n > 0 {
				t.Errorf("the endpoint of another owner has received %d", n)
			}
		})
		return requests
	}
	want := send(t, func(*rig) {})
	if len(want) != 3 || want[0].trace == "" || want[1].body != large {
		t.Fatalf("%d requests without a queue, want 3", len(want))
	}
	for name, setUp := range map[string]func(*rig){
		"of an outbox that is an Admin": func(r *rig) { r.queue(1) },
		"of one that is none": func(r *rig) {
			r.use(silentOutbox{r.inbox}, r.store)
			r.queue(1)
		},
	} {
		if diff := cmp.Diff(want, send(t, setUp), cmp.AllowUnexported(request{})); diff != "" {
			t.Errorf("%s (-want +got):\n%.1000s", name, diff)
		}
	}
}

// While the broker is away, events wait in the outbox, one of them tries, none is dead for it, and
// retries go on.
func TestEventsWaitInTheOutboxWhileTheBrokerIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		b := r.queue(1)
		r.Schedule = []time.Duration{time.Hour}
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		r.publish(publish.Event{Payload: "before"})
		advance(time.Second)
		r.net.at("a", status(200))
		b.setAway(true)
		const events = 200
		for range events {
			r.publish(publish.Event{})
		}
		advance(3 * time.Hour)
		if n := len(r.net.to("a")); n != 2 {
			t.Errorf("%d requests while the broker was away, want the first attempt and its retry", n)
		}
		if tries := b.setAway(false); tries > 3*3600/5 {
			t.Errorf("%d tries in three hours", tries)
		}
		advance(20 * time.Second)
		if n := len(r.net.to("a")); n != 2+events {
			t.Errorf("%d requests, want %d", n, 2+events)
		}
		stats, err := r.inbox.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 2 * (events + 1)}, stats.Count); diff != "" {
			t.Errorf("the outbox (-want +got):\n%s", diff)
		}
	})
}

func TestAnEventThatComesAgainIsSentOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		b := r.queue(3)
		r.create("a")
		r.start()
		for range 20 {
			r.publish(publish.Event{Key: "k"})
		}
		advance(time.Minute)
		again := 0
		for rec, err := range r.inbox.All(t.Context(), webhook.Filter{Type: r.EventType(), Bodies: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Handle(t.Context(), rec.Delivery); err != nil {
				t.Fatal(err)
			}
			again++
		}
		advance(time.Minute)
		if n := len(r.net.to("a")); n != 20 || again != 20 {
			t.Errorf("%d requests, and %d events came again, want 20 of both", n, again)
		}
		if pending, err := b.Pending(t.Context(), 100); err != nil || pending > 0 {
			t.Errorf("%d are left in the queue, %v", pending, err)
		}
	})
}

// Tests, what is sent again, and replays do as without a queue.
func TestTestsAndRepeatsPassAQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.queue(1)
		r.create("a")
		r.create("b", func(e *publish.Endpoint) { e.Events = []string{"other"} })
		r.start()
		note := webhook.Note{By: "ada", Why: "test"}
		requests := func(what string, to string, want int) {
			t.Helper()
			advance(time.Minute)
			if got := len(r.net.to(to)); got != want {
				t.Errorf("%s: %s has received %d, want %d", what, to, got, want)
			}
		}
		if _, err := r.Test(t.Context(), "b", publish.Event{Type: "comment.created"}); err != nil {
			t.Fatal(err)
		}
		requests("a test", "b", 1)
		requests("a test of b", "a", 0)
		id := r.publish(publish.Event{})
		requests("an event", "a", 1)
		if err := r.ResendEvent(t.Context(), "b", id, note); err != nil {
			t.Fatal(err)
		}
		requests("ResendEvent", "b", 2)
		r.create("late")
		if n, err := r.Resend(t.Context(), "late", time.Now().Add(-time.Hour), note); n != 1 || err != nil {
			t.Errorf("Resend = %d, %v, want the event, which is no test", n, err)
		}
		requests("Resend", "late", 1)
		r.create("later")
		if n, err := r.inbox.Replay(t.Context(), webhook.Filter{UID: strings.TrimPrefix(id, "msg_")}, note); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		requests("a replay of the event", "later", 1)
		requests("a replay of the event, to one that has got it", "a", 1)
	})
}

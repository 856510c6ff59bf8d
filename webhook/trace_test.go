package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// traced is the trace context of a caller, from the examples of
// https://www.w3.org/TR/trace-context/ and https://www.w3.org/TR/baggage/.
func traced() http.Header {
	return http.Header{
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		"Tracestate":  {"congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7"},
		"Baggage":     {"userId=alice,serverNode=DF%2028"},
	}
}

// addTrace adds the trace context of the caller to a request.
func addTrace(r *http.Request) {
	for name, values := range traced() {
		r.Header[name] = values
	}
}

// Whatever proves that a request is authentic, its trace context is kept.
func TestNoVerifierDropsTheTraceContext(t *testing.T) {
	secret := webhook.Keys(webhook.NewSecret("secret-secret-secret"))
	for name, v := range map[string]webhook.Verifier{
		"HMAC":               &webhook.HMAC{Header: "X-Signature", Keys: secret},
		"Token in a header":  &webhook.Token{Header: "X-Token", Keys: secret},
		"Token in the query": &webhook.Token{Query: "token", Keys: secret},
		"BasicAuth":          &webhook.BasicAuth{User: "user", Keys: secret},
	} {
		t.Run(name, func(t *testing.T) {
			src := webhook.Source{Name: "acme", Verifier: v}
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			r := recvRequest(t, src, "{}")
			addTrace(r)
			d, err := src.Open(r, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			want := traced()
			for name := range want {
				if diff := cmp.Diff(want[name], d.Header[name]); diff != "" {
					t.Errorf("%s (-sent +kept):\n%s", name, diff)
				}
			}
			delete(want, "Baggage")
			if diff := cmp.Diff(want, d.TraceHeader()); diff != "" {
				t.Errorf("TraceHeader (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTraceHeaderIsACopy(t *testing.T) {
	if h := (&webhook.Delivery{}).TraceHeader(); h == nil || len(h) > 0 {
		t.Errorf("TraceHeader without a header = %v, want an empty one", h)
	}
	d := &webhook.Delivery{Header: traced()}
	d.TraceHeader().Set("Traceparent", "changed")
	d.TraceHeader()["Tracestate"][0] = "changed"
	if diff := cmp.Diff(traced(), d.Header); diff != "" {
		t.Errorf("Header (-want +got):\n%s", diff)
	}
}

// Each of three failures, a run after a replay, and the work that follows from it, has
// the trace context of the caller.
func TestTheTraceContextReachesTheCallbackAndItsRetries(t *testing.T) {
	for name, handler := range map[string]func(in *webhook.MemInbox) (webhook.Handler, func(ctx context.Context) error){
		"an inbox": func(in *webhook.MemInbox) (webhook.Handler, func(ctx context.Context) error) {
			return webhook.Store(in), nil
		},
		"a Spool": func(in *webhook.MemInbox) (webhook.Handler, func(ctx context.Context) error) {
			failed := false
			s := spool.New(webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				if !failed { // the first time, so that it is stored in the local inbox
					failed = true
					return webhook.ErrNotStored
				}
				return webhook.Store(in).Handle(ctx, d)
			}), &webhook.MemInbox{})
			s.Logger, _ = recvLogger()
			return s, s.Run
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := &webhook.MemInbox{}
				to, run := handler(in)
				var got []http.Header
				w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
					got = append(got, d.TraceHeader())
					if d.Type == "mine.next" {
						return nil
					}
					if len(got) <= 3 {
						return errors.New("fails")
					}
					next := webhook.NewDelivery("mine", "mine.next", "", nil)
					next.Header = d.TraceHeader()
					return in.Put(ctx, next)
				}))
				w.Logger, _ = recvLogger()
				w.MaxAttempts = 3
				src := recvSource()
				rc := webhook.NewReceiver(src, to)
				rc.Logger, _ = recvLogger()
				r := recvRequest(t, src, "{}")
				addTrace(r)
				if answer := recvServe(rc, r); answer.Code != http.StatusAccepted {
					t.Fatalf("answer %d", answer.Code)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if run != nil {
					go func() { _ = run(ctx) }()
				}
				go func() { _ = w.Run(ctx) }()
				time.Sleep(time.Minute)
				if n, err := in.Replay(ctx, webhook.Filter{States: []webhook.State{webhook.Dead}}, webhook.Note{By: "test"}); n != 1 || err != nil {
					t.Fatalf("Replay = %d, %v", n, err)
				}
				time.Sleep(time.Minute)
				cancel()
				synctest.Wait()
				sent := traced()
				delete(sent, "Baggage")
				if diff := cmp.Diff([]http.Header{sent, sent, sent, sent, sent}, got); diff != "" {
					t.Errorf("trace contexts of the runs (-want +got):\n%s", diff)
				}
			})
		})
	}
}

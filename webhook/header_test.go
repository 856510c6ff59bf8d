package webhook_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A Receiver passes the request's own header on. What keeps the delivery after the
// request clones it, so that nothing changes what is stored.
func TestWhatKeepsADeliveryKeepsItsOwnHeader(t *testing.T) {
	claimed := func(in *webhook.MemInbox) func() http.Header {
		return func() http.Header {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
			if err != nil || len(claims) != 1 {
				t.Fatalf("Claim = %v, %v, want one claim", claims, err)
			}
			return claims[0].Delivery.Header
		}
	}
	inbox, local := new(webhook.MemInbox), new(webhook.MemInbox)
	down := webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return webhook.ErrNotStored })
	recorder := new(webhooktest.Recorder)
	for _, test := range []struct {
		name    string
		handler webhook.Handler
		kept    func() http.Header
	}{
		{"a MemInbox", webhook.Store(inbox), claimed(inbox)},
		{"the local inbox of a Spool", spool.New(down, local), claimed(local)},
		{"a Recorder", recorder, func() http.Header { return recorder.Deliveries()[0].Header }},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, test.handler)
			r := recvRequest(t, src, "{}")
			want := r.Header.Clone()
			if w := recvServe(rc, r); w.Code != http.StatusAccepted {
				t.Fatalf("status = %d, want 202", w.Code)
			}
			r.Header.Set("X-Event", "changed")
			r.Header["X-Delivery"][0] = "changed"
			r.Header.Set("X-New", "new")
			if diff := cmp.Diff(want, test.kept()); diff != "" {
				t.Errorf("kept header (-sent +kept):\n%s", diff)
			}
		})
	}
}

// The header of the request stays as it is, although the delivery lacks some names.
func TestAReceiverDoesNotChangeTheRequestsHeader(t *testing.T) {
	src := recvSource()
	r := recvRequest(t, src, "{}")
	r.Header.Set("Cookie", "a=b")
	r.Header.Set("Authorization", "Basic eDp5")
	want := r.Header.Clone()
	var got http.Header
	recvServe(webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		got = d.Header
		return nil
	})), r)
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("header of the request (-before +after):\n%s", diff)
	}
	want.Del("Cookie")
	want.Del("Authorization")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("header of the delivery (-want +got):\n%s", diff)
	}
}

// Code around Open and behind Middleware may change the request: the delivery has a
// header of its own there.
func TestOpenAndMiddlewareCopyTheHeader(t *testing.T) {
	src := recvSource()
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := recvRequest(t, src, "{}")
	want := r.Header.Clone()
	d, err := src.Open(r, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-New", "new")
	if diff := cmp.Diff(want, d.Header); diff != "" {
		t.Errorf("header after Open (-want +got):\n%s", diff)
	}

	r = recvRequest(t, src, "{}")
	recvServe(src.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-New", "new")
		d, _ := webhook.DeliveryFromContext(r.Context())
		if diff := cmp.Diff(want, d.Header); diff != "" {
			t.Errorf("header in Middleware (-want +got):\n%s", diff)
		}
	})), r)
}

// Both dedup keys are parts of one string: each ends where it must.
func TestDedupKeysOfIDAndSignature(t *testing.T) {
	src := recvSource()
	src.Describe = func(r *http.Request, _ []byte) webhook.Description {
		return webhook.Description{ID: r.Header.Get("X-Delivery"), DedupBySignature: true}
	}
	r := recvRequest(t, src, "{}")
	var got []string
	recvServe(webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		got = d.DedupKeys
		return nil
	})), r)
	want := []string{"id:id-1", "mac:" + r.Header.Get("X-Hub-Signature-256")[len("sha256="):]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dedup keys (-want +got):\n%s", diff)
	}
}

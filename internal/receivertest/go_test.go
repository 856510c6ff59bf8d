package receivertest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

func status(h http.Handler, r request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.httpRequest())
	return w.Code
}

func TestTheReceiverOfThePage(t *testing.T) {
	for _, c := range cases(t) {
		var inbox webhook.MemInbox
		receiver := newReceiver(c.secret, &inbox)
		receiver.Logger = slog.New(slog.DiscardHandler)
		got := status(receiver, c.request)
		if accepted := got == http.StatusAccepted; accepted != c.genuine || !accepted && got != http.StatusUnauthorized {
			t.Errorf("%s: %d", c.name, got)
		}
		if got := status(receiver, c.request); c.genuine && got != http.StatusAccepted {
			t.Errorf("%s, again: %d", c.name, got)
		}
		if stored := bodies(t, &inbox, "guestbook.comment.created"); len(stored) == 1 != c.genuine || c.genuine && stored[0] != payload {
			t.Errorf("%s: stored %q", c.name, stored)
		}
	}
}

// bodies returns the bodies of the deliveries of a type in an inbox.
func bodies(t *testing.T, inbox *webhook.MemInbox, typ string) (all []string) {
	t.Helper()
	for listed, err := range inbox.All(t.Context(), webhook.Filter{Type: typ}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := inbox.Get(t.Context(), listed.Delivery.UID)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(r.Delivery.Body))
	}
	return all
}

func TestAHandlerWithTheLibrary(t *testing.T) {
	for _, c := range cases(t) {
		verifier, err := standardwebhooks.NewWebhook(c.secret)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		h := handle(verifier, func(id string, _ []byte) error {
			ids = append(ids, id)
			return nil
		})
		want := map[bool]int{true: http.StatusNoContent, false: http.StatusUnauthorized}[c.genuine]
		if got := status(h, c.request); got != want || len(ids) == 1 != c.genuine {
			t.Errorf("%s: %d, want %d, and accepted %q", c.name, got, want, ids)
		}
	}
}

func TestTheReceiverOfThePageWithAPublicKey(t *testing.T) {
	private := generated(t)
	public, ok := publish.PublicKey(private)
	if !ok {
		t.Fatal("no public key")
	}
	receiver := newReceiver(public, new(webhook.MemInbox))
	receiver.Logger = slog.New(slog.DiscardHandler)
	r := sent(t, "standard-ed25519", string(private.Reveal()))
	if got := status(receiver, r); got != http.StatusAccepted {
		t.Errorf("genuine: %d", got)
	}
	r.body = append(r.body, ' ')
	if got := status(receiver, r); got != http.StatusUnauthorized {
		t.Errorf("another body: %d", got)
	}
}

// generated returns a secret that the scheme standard-ed25519 generates.
func generated(t *testing.T) webhook.Secret {
	t.Helper()
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	pub.Transport = http.DefaultTransport
	e, err := pub.Create(t.Context(), publish.Endpoint{URL: "https://shop.example/", Events: []string{"*"}, Scheme: "standard-ed25519"})
	if err != nil {
		t.Fatal(err)
	}
	return e.Secrets[0].Secret
}

package webhook_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestDeliveryInALog(t *testing.T) {
	d := &webhook.Delivery{
		UID: "u1", Source: "acme", ID: "i1", Type: "acme.push", OrderingKey: "k1",
		Header: http.Header{"X-Sig": {"the-signature"}}, Body: []byte("the-body"), KeyLabel: "1", DedupKeys: []string{"mac:the-mac"},
	}
	var out bytes.Buffer
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: drop})).Info("x", "delivery", d)
	want := "level=INFO msg=x delivery.uid=u1 delivery.source=acme delivery.type=acme.push delivery.id=i1 delivery.ordering_key=k1 delivery.size=8\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestUIDsSortByTimeOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := webhook.Source{Name: "acme", Verifier: &webhook.InsecureAcceptAll{}}
		var uids []string
		for range 100 {
			d, err := src.Open(httptest.NewRequest("POST", "/", nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.UID) != 32 || strings.Trim(d.UID, "0123456789abcdef") != "" {
				t.Fatalf("UID %q is not 32 hexadecimal digits", d.UID)
			}
			if !d.ReceivedAt.Equal(time.Now()) {
				t.Fatalf("ReceivedAt = %v, want now", d.ReceivedAt)
			}
			uids = append(uids, d.UID)
			time.Sleep(time.Millisecond)
		}
		if !slices.IsSorted(uids) || len(slices.Compact(uids)) != 100 {
			t.Errorf("not in order: %q", uids)
		}
	})
}

func TestDeliveryFromContextWithoutADelivery(t *testing.T) {
	if d, ok := webhook.DeliveryFromContext(t.Context()); ok || d != nil {
		t.Errorf("got %v, %v", d, ok)
	}
}

func TestNewDeliveryCanBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := []byte("{}")
		d := webhook.NewDelivery("mine", "mine.mail", strings.Repeat("k", 300)+"\x00", body)
		if other := webhook.NewDelivery("mine", "mine.mail", "", body); len(d.UID) != 32 || d.UID == other.UID {
			t.Errorf("UIDs %q and %q", d.UID, other.UID)
		}
		if d.Source != "mine" || d.Type != "mine.mail" || string(d.Body) != "{}" || !d.ReceivedAt.Equal(time.Now()) {
			t.Errorf("got %+v", d)
		}
		if len(d.OrderingKey) > 255 || strings.Contains(d.OrderingKey, "\x00") {
			t.Errorf("key %q", d.OrderingKey)
		}
		if err := new(webhook.MemInbox).Put(t.Context(), d); err != nil {
			t.Error(err)
		}
	})
}

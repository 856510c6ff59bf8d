package publish

import (
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func FuzzMessage(f *testing.F) {
	f.Add("invoice.paid", "tenant", "invoice 7", "application/json", "00d", "ep_1", true, int64(70000))
	f.Add("a", "", "", "", "", "", false, int64(0))
	f.Add("ü.x", "\n\r", "%", " ", "\"", ",", true, int64(-1))
	f.Fuzz(func(t *testing.T, typ, owner, key, content, event, endpoint string, test bool, size int64) {
		for _, s := range []string{typ, owner, key, content, event, endpoint} {
			if !utf8.ValidString(s) {
				return // Publish refuses it
			}
		}
		m := message{typ: typ, owner: owner, key: key, contentType: content, event: event, endpoint: endpoint, test: test, size: max(size, 0)}
		inbox := &webhook.MemInbox{}
		d := webhook.NewDelivery("publish", "publish.event", "", nil)
		d.Header = m.header()
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		stored, err := inbox.Get(t.Context(), d.UID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseMessage(stored.Delivery)
		if typ == "" {
			if !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("a message without a type: %v, want ErrMalformed", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, cmp.AllowUnexported(message{})); diff != "" {
			t.Errorf("message (-want +got):\n%s", diff)
		}
	})
}

func TestADeliveryOfSomebodyElseIsMalformed(t *testing.T) {
	for _, h := range []http.Header{nil, {}, {typeHeader: nil}, {typeHeader: {"a"}, sizeHeader: {"x"}}, {typeHeader: {"a"}, sizeHeader: {"-1"}}} {
		if _, err := parseMessage(&webhook.Delivery{Header: h}); !errors.Is(err, webhook.ErrMalformed) {
			t.Errorf("header %v: %v, want ErrMalformed", h, err)
		}
	}
}

func TestLanesDependOnOwnerAndKey(t *testing.T) {
	lanes := make(map[string]int)
	for i := range 1000 {
		m := message{owner: "o", key: string(rune('a' + i))}
		if first, second := m.lane("ep", 4), m.lane("ep", 4); first != second {
			t.Fatalf("events of one key have lanes %s and %s", first, second)
		}
		lanes[m.lane("ep", 4)]++
	}
	if len(lanes) != 4 {
		t.Errorf("1000 keys share the lanes %v, want 4", lanes)
	}
	for lane, n := range lanes {
		if n < 150 {
			t.Errorf("lane %s has %d of 1000 keys", lane, n)
		}
	}
	if digest("ab", "c") == digest("a", "bc") {
		t.Error("two owners share the lanes of a key")
	}
}

func TestTheTransportOfAnEndpoint(t *testing.T) {
	p := New(&webhook.MemInbox{}, &MemStore{})
	p.prepare()
	if got := p.transport(&Endpoint{}); got != http.RoundTripper(p.own.verifying) {
		t.Error("certificates are not verified")
	}
	if got := p.transport(&Endpoint{InsecureSkipVerify: true}); got != http.RoundTripper(p.own.insecure) {
		t.Error("certificates are verified although the endpoint says otherwise")
	}
	if p.own.verifying.TLSClientConfig.InsecureSkipVerify || !p.own.insecure.TLSClientConfig.InsecureSkipVerify {
		t.Error("the two transports are mixed up")
	}
}

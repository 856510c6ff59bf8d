package forward_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// TestAHostileService: bodies that are not as large as it says are not sent, a live list
// without an end of line does not stop the forwarding, and what is sound is sent.
func TestAHostileService(t *testing.T) {
	bodies := map[string]string{"short": "{}", "long": "{}" + strings.Repeat(" ", 1<<20), "sound": `{"a":1}`}
	record := func(uid string, seq int) string {
		return fmt.Sprintf(`{"uid":"%s","seq":%d,"source":"github","id":"g-%[1]s","type":"github.push","state":"done","size":7,"received_at":"2026-01-02T03:04:05Z",`+
			`"header":{"X-Github-Event":["push"],"X-Evil\r\nY":["x"],"Host":["evil.example.com"],"Content-Length":["1"],"Authorization":["Bearer x"]}}`, uid, seq)
	}
	var mux http.ServeMux
	asJSON := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}
	mux.HandleFunc("/debug/hooks/api/deliveries", func(w http.ResponseWriter, r *http.Request) {
		list := []string{record("sound", 3), record("long", 2), record("short", 1)}
		if r.URL.Query().Get("limit") == "1" {
			list = list[:1]
		}
		asJSON(w, `{"deliveries":[`+strings.Join(list, ",")+`]}`)
	})
	mux.HandleFunc("/debug/hooks/api/delivery", func(w http.ResponseWriter, r *http.Request) { asJSON(w, record(r.URL.Query().Get("uid"), 1)) })
	mux.HandleFunc("/debug/hooks/api/body", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(bodies[r.URL.Query().Get("uid")]))
	})
	mux.HandleFunc("/debug/hooks/api/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for text := []byte("data: " + strings.Repeat("x", 64<<10)); ; {
			if _, err := w.Write(text); err != nil {
				return
			}
		}
	})
	s := &staging{inbox: new(webhook.MemInbox)}
	s.up(t, &mux)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	for _, want := range []string{"it has 2 bytes, and the delivery has 7", "more bytes than the 7 of the delivery"} {
		if e := r.next(t); !strings.Contains(e.Dropped, want) {
			t.Errorf("%+v, want %q", e, want)
		}
	}
	if e := r.next(t); e.Status != http.StatusAccepted {
		t.Errorf("%+v", e)
	}
	if d := got.Deliveries()[0]; got.Count() != 1 || string(d.Body) != `{"a":1}` || d.ID != "g-sound" || len(d.Header["Authorization"]) > 0 {
		t.Errorf("%d arrived: %+v", got.Count(), d)
	}
	eventually(t, "the live list is noted", func() bool { return strings.Contains(r.noted(), "a line of its live list has more than") })
}

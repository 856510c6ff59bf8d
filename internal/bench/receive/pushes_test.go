package receive

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestEachPushIsAnotherAndSigned(t *testing.T) {
	var got []*webhook.Delivery
	h := openRaw(PushSource)(func(v any) { got = append(got, v.(*webhook.Delivery)) })
	keys := make(map[string]bool)
	one, other := sender.NewPusher(1), sender.NewPusher(255)
	for _, p := range []*sender.Pusher{one, one, other, one} {
		if status := answerTo(t, h, p.Next()); status != http.StatusAccepted {
			t.Fatalf("a push was answered %d", status)
		}
	}
	for _, d := range got {
		if len(d.Body) != sender.PushSize {
			t.Errorf("a body of %d bytes, want %d", len(d.Body), sender.PushSize)
		}
		for _, k := range d.DedupKeys {
			keys[k] = true
		}
	}
	if len(keys) != 8 {
		t.Errorf("%d dedup keys of four pushes, want two each", len(keys))
	}
	if got[0].OrderingKey == got[2].OrderingKey || got[0].OrderingKey != got[3].OrderingKey {
		t.Errorf("keys %q, %q, %q: each Pusher has a branch of its own", got[0].OrderingKey, got[2].OrderingKey, got[3].OrderingKey)
	}
	if status := answerTo(t, h, one.Forged()); status != http.StatusUnauthorized {
		t.Errorf("a forged push was answered %d", status)
	}
}

func answerTo(t *testing.T, h http.Handler, request []byte) int {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, w.Body)
	return w.Code
}

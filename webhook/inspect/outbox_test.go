package inspect_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// An endpoints answers every request of a publisher with 204.
type endpoints struct{ calls atomic.Int64 }

func (e *endpoints) RoundTrip(r *http.Request) (*http.Response, error) {
	e.calls.Add(1)
	return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}, Request: r}, nil
}

// The outbox of a publisher is an inbox: what it sends can be listed, opened and replayed.
// The secrets of endpoints are not in it.
func TestTheOutboxOfAPublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var store publish.MemStore
		var to endpoints
		pub := publish.New(r.inbox, &store)
		pub.Transport, pub.Logger = &to, r.Logger
		const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		_, err := pub.Create(t.Context(), publish.Endpoint{
			ID: "shop", URL: "https://bob.example/hooks?token=" + planted, Events: []string{"*"}, Secrets: []publish.Secret{{Secret: webhook.NewSecret(secret)}},
			Header: http.Header{"X-Api-Key": {planted}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pub.Publish(t.Context(), publish.Event{Type: "comment.created", Payload: map[string]string{"text": "hello"}}); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { ended <- pub.Run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		l := decode[listed](t, r.get("api/deliveries?type=publish.delivery"))
		if len(l.Deliveries) != 1 || l.Deliveries[0].State != "done" || to.calls.Load() != 1 {
			t.Fatalf("%+v after %d requests", l, to.calls.Load())
		}
		uid := l.Deliveries[0].UID
		pages := []string{"", "api/deliveries", "api/overview", "delivery?uid=" + uid, "api/delivery?uid=" + uid, "api/body?uid=" + uid, "act?act=replay&uid=" + uid}
		for _, d := range decode[listed](t, r.get("api/deliveries")).Deliveries {
			pages = append(pages, "delivery?uid="+d.UID, "api/delivery?uid="+d.UID, "api/body?uid="+d.UID)
		}
		for _, page := range pages {
			w := r.get(page)
			if text := w.Body.String(); w.Code != 200 || strings.Contains(text, planted) || strings.Contains(text, strings.TrimPrefix(secret, "whsec_")) {
				t.Errorf("%s: %d, or it has a secret: %s", page, w.Code, text)
			}
		}
		if w := r.postJSON("api/replay", `{"uid":"`+uid+`","why":"they lost it"}`); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if to.calls.Load() != 2 {
			t.Errorf("%d requests after a replay", to.calls.Load())
		}
		r.startReplay(`{"type":"publish.delivery","why":"they lost it again"}`)
		time.Sleep(time.Minute)
		synctest.Wait()
		if run := r.runs()[0]; to.calls.Load() != 3 || run.State != "done" || run.Replayed != 1 {
			t.Errorf("%d requests after the replay of a selection: %+v", to.calls.Load(), run)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

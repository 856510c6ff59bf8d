package publish_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

func TestGoneOfAnOldURLDoesNotDisable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			if _, err := r.Update(t.Context(), "a", func(e *publish.Endpoint) error {
				e.URL = "https://moved/"
				return nil
			}); err != nil {
				t.Error(err)
			}
			return status(410)(req, body)
		})
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		e, err := r.Get(t.Context(), "a")
		if err != nil || e.State != publish.Active {
			t.Errorf("endpoint = %v, %v, want it active: the URL that is gone is not its own any more", e, err)
		}
		r.publish(publish.Event{})
		advance(time.Second)
		if n := len(r.net.to("moved")); n == 0 {
			t.Error("the new URL has received nothing")
		}
	})
}

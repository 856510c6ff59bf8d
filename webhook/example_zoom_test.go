package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// zoomSource is the Source of an app of Zoom
// (https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events). Zoom sends no
// ID, so what is new in a call is its signature, which covers the time.
func zoomSource(secretToken webhook.Secret) webhook.Source {
	return webhook.Source{
		Name: "zoom",
		Verifier: &webhook.HMAC{
			Header:          "X-Zm-Signature",
			Prefix:          "v0=",
			Signed:          "v0:{timestamp}:{body}",
			TimestampHeader: "X-Zm-Request-Timestamp",
			Tolerance:       5 * time.Minute,
			Keys:            webhook.Keys(secretToken),
		},
		Handshake: handshake.Zoom(webhook.Keys(secretToken)...),
		Describe: func(_ *http.Request, body []byte) webhook.Description {
			var e struct {
				Event   string
				Payload struct{ Object struct{ UUID string } }
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return webhook.Description{Malformed: err}
			}
			return webhook.Description{Type: "zoom." + e.Event, OrderingKey: e.Payload.Object.UUID, DedupBySignature: true}
		},
	}
}

// Zoom signs the time and the body.
func ExampleHMAC_zoom() {
	src := zoomSource(webhook.NewSecret("zoom-secret-token"))
	receiver := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		fmt.Println(d.Type, d.OrderingKey, len(d.DedupKeys))
		return nil
	}))

	body := []byte(`{"event":"meeting.started","payload":{"object":{"uuid":"4444AAAi"}}}`)
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, webhooktest.NewRequest(src, "/hooks/zoom", body))
	fmt.Println(w.Code)
	// Output:
	// zoom.meeting.started 4444AAAi 1
	// 202
}

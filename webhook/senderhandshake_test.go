package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A literal that is copied answers the call by which its sender tests the address.
func TestTheLiteralsAnswerHandshakes(t *testing.T) {
	for name, tt := range map[string]struct {
		src    webhook.Source
		body   string // empty: HEAD
		status int
		answer string
	}{
		"Slack":   {slackSource(webhook.NewSecret("secret")), `{"type":"url_verification","challenge":"abc","token":"t"}`, 200, "abc"},
		"Zoom":    {zoomSource(webhook.NewSecret("secret token")), `{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}`, 200, `{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"4010a309f8ec0e4dc7506ef21e98975c6302caa558db61e48081282f677a68df"}`},
		"Discord": {discordSource(webhook.NewSecret(discordPrivateKey)), `{"version":1,"application_id":"1","type":0}`, 204, ""},
		"Trello":  {trelloSource("https://hooks.example.com/", webhook.NewSecret("secret")), "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got webhooktest.Recorder
			r := httptest.NewRequest(http.MethodHead, "/hooks", nil)
			if tt.body != "" {
				r = webhooktest.NewRequest(tt.src, "/hooks", []byte(tt.body))
			}
			w := httptest.NewRecorder()
			webhook.NewReceiver(tt.src, &got).ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.answer || got.Count() != 0 {
				t.Errorf("answer %d %q and %d deliveries, want %d %q and none", w.Code, w.Body, got.Count(), tt.status, tt.answer)
			}
		})
	}
}

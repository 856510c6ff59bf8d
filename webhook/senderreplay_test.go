package webhook_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A captured call that is sent again within the tolerance is a duplicate, whether it has
// an ID or not.
func TestACallThatIsSentAgainIsADuplicate(t *testing.T) {
	for _, s := range senders {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := s.genuine()
				var inbox webhook.MemInbox
				receiver := webhook.NewReceiver(s.verifying(s.url), webhook.Store(&inbox))
				receiver.Logger = slog.New(slog.DiscardHandler)
				for range 2 {
					w := httptest.NewRecorder()
					receiver.ServeHTTP(w, receivedAgain(c))
					if w.Code != http.StatusAccepted {
						t.Errorf("got %d", w.Code)
					}
					time.Sleep(time.Minute)
				}
				if n := counts(t, &inbox)[webhook.Waiting]; n != 1 {
					t.Errorf("stored %d times", n)
				}
			})
		})
	}
}

// A slash command and an interaction of Slack have no ID.
func TestACommandOfSlackThatIsSentAgainIsADuplicate(t *testing.T) {
	src := slackSource(webhook.NewSecret("s"))
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"command=%2Fdeploy&trigger_id=1", "payload=%7B%22type%22%3A%22block_actions%22%7D"} {
		var inbox webhook.MemInbox
		r := webhooktest.NewRequest(src, "/hook", []byte(text), "Content-Type", formType)
		for _, want := range []error{nil, webhook.ErrDuplicate} {
			d, err := src.Open(r, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := inbox.Put(t.Context(), d); !errors.Is(err, want) {
				t.Errorf("%s: Put = %v, want %v", text, err, want)
			}
		}
	}
}

// What the package comment says of a captured call with another ID that is not covered.
func TestACallWithAnotherIDIsADuplicateBySignature(t *testing.T) {
	for _, s := range senders {
		if s.covers.id != "no" {
			continue
		}
		c := s.genuine()
		var inbox webhook.MemInbox
		d, err := s.open(s.url, c.r, c.body)
		if err != nil || inbox.Put(t.Context(), d) != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		c.r.Header.Set(s.idHeader, "another")
		if d, err = s.open(s.url, c.r, c.body); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if err := inbox.Put(t.Context(), d); errors.Is(err, webhook.ErrDuplicate) != (s.name == "Twilio") {
			t.Errorf("%s with another ID: Put = %v", s.name, err)
		}
	}
}

// receivedAgain returns the call as a server gets it once more.
func receivedAgain(c *senderCall) *http.Request {
	r := c.r.Clone(c.r.Context())
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	return r
}

package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A slash command of Slack is a form with fields of its own. Slack wants 200 within three
// seconds, and shows the body of the answer to the user. So Middleware verifies the call,
// and the handler passes it on and answers without a body. With
// webhook.Store(inbox).Handle in place of mux.Handle it is stored before the answer. See
// https://docs.slack.dev/interactivity/implementing-slash-commands.
func ExampleOnForm() {
	slack := webhook.Source{
		Name:         "slack",
		ContentTypes: []string{"application/x-www-form-urlencoded"},
		Verifier: &webhook.HMAC{
			Header:          "X-Slack-Signature",
			Prefix:          "v0=",
			Signed:          "v0:{timestamp}:{body}",
			TimestampHeader: "X-Slack-Request-Timestamp",
			Keys:            webhook.Keys(webhook.NewSecret("s3cret")),
		},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			form, err := webhook.Form(r, body)
			return webhook.Description{
				ID:          form.Get("trigger_id"),
				Type:        "slack.command",
				OrderingKey: form.Get("channel_id"),
				Malformed:   err,
			}
		},
	}
	var mux webhook.Mux
	webhook.OnForm(&mux, "slack.command", func(_ context.Context, e *webhook.Event[url.Values]) error {
		fmt.Println(e.Payload.Get("user_id"), "in", e.OrderingKey, "wants", e.Payload.Get("command"), e.Payload.Get("text"))
		return nil
	})
	handler := slack.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		if err := mux.Handle(r.Context(), d); err != nil && !webhook.IsDuplicate(err) {
			status := webhook.StatusCode(err)
			http.Error(w, http.StatusText(status), status)
		}
	}))

	body := "command=%2Fdeploy&text=main+to+production&channel_id=C2147483705&user_id=U2147483697&trigger_id=13345224609.738474920"
	fmt.Println(callForm(handler, slack, body))
	// Output:
	// U2147483697 in C2147483705 wants /deploy main to production
	// 200
}

// A message of Twilio is a form too. Twilio takes the answer for TwiML, in which an empty
// Response sends no message; for other answers, such as the JSON of a Receiver, it logs an
// error. See https://www.twilio.com/docs/api/errors/12300.
func ExampleForm() {
	twilio := webhook.Source{
		Name:         "twilio",
		ContentTypes: []string{"application/x-www-form-urlencoded"},
		Verifier: &webhook.Twilio{
			URL:  "https://example.com/hooks/twilio",
			Keys: webhook.Keys(webhook.NewSecret("auth token")),
		},
		Describe: func(r *http.Request, body []byte) webhook.Description {
			form, err := webhook.Form(r, body)
			return webhook.Description{
				ID:               form.Get("MessageSid"),
				Type:             "twilio.message",
				OrderingKey:      form.Get("From"),
				DedupBySignature: true,
				Malformed:        err,
			}
		},
	}
	inbox := new(webhook.MemInbox) // in a service: sqlinbox
	store := webhook.Store(inbox)
	handler := twilio.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		if err := store.Handle(r.Context(), d); err != nil && !webhook.IsDuplicate(err) {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		fmt.Println(d.ID, d.OrderingKey)
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, "<Response/>")
	}))

	fmt.Println(callForm(handler, twilio, "MessageSid=SM1&From=%2B4917&Body=hello+there"))
	fmt.Println(callForm(handler, twilio, "MessageSid=SM1&From=%2B4917&Body=hello+there"))
	// Output:
	// SM1 +4917
	// 200 <Response/>
	// SM1 +4917
	// 200 <Response/>
}

// callForm calls as a sender does, and returns the answer.
func callForm(h http.Handler, src webhook.Source, body string) string {
	r := httptest.NewRequest("POST", "/hooks/"+src.Name, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := src.Verifier.(webhook.Signer).Sign(r, []byte(body)); err != nil {
		return err.Error()
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body))
}

package webhook_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Why the comment of Twilio asks for URLs none of which is the beginning of another.
func TestTwilioURLsMustNotOverlap(t *testing.T) {
	of := func(url string) *webhook.Twilio {
		v := &webhook.Twilio{URL: url, Keys: webhook.Keys(webhook.NewSecret(twilioToken))}
		verifierValidate(t, v)
		return v
	}
	r := twilioRequest("", formType, "")
	if err := of("https://a.example/sms/status").Sign(r, []byte("CallSid=CA1")); err != nil {
		t.Fatal(err)
	}
	if _, err := of("https://a.example/sms").Verify(r, []byte("%2FstatusCallSid=CA1")); err != nil {
		t.Errorf("%v: the comment asks for more than is needed", err)
	}
	if _, err := of("https://a.example/sms").Verify(r, []byte("CallSid=CA1")); err == nil {
		t.Error("the same form is one for both URLs")
	}
}

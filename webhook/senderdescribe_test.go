package webhook_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSendersDescribeWhatTheySend(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"}
	for _, tt := range []struct {
		sender, what     string
		header           []string
		body             string
		typ, orderingKey string
	}{
		{"Slack", "an event", nil, `{"type":"event_callback","event_id":"Ev1","event":{"type":"message","channel":"C1"}}`, "slack.message", "C1"},
		{"Slack", "an event whose channel is an object", nil, `{"event_id":"Ev1","event":{"type":"channel_created","channel":{"id":"C1"}}}`, "slack.channel_created", ""},
		{"Slack", "an event with the text of a form", nil, `{"event":{"type":"message","channel":"C1","text":"&command=x&channel_id=C2"}}`, "slack.message", "C1"},
		{"Slack", "an interaction", form, `payload=%7B%22type%22%3A%22block_actions%22%7D`, "slack.block_actions", ""},
		{"Slack", "a slash command", form, `command=%2Fdeploy&channel_id=C1`, "slack.command", "C1"},
		{"Twilio", "a message", form, `MessageSid=SM1&MessageStatus=delivered`, "twilio.message", "SM1"},
		{"Twilio", "a call", form, `CallSid=CA1`, "twilio.call", "CA1"},
		{"Twilio", "another form", form, `FaxSid=FX1`, "twilio.unknown", ""},
		{"Twilio", "JSON with the text of a form", nil, `{"a":"&CallSid=CA1"}`, "twilio.unknown", ""},
		{"GitLab, signing token", "a push", nil, `{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"a/b"}}`, "gitlab.push", "a/b refs/heads/main"},
		{"GitLab, secret token", "another event", nil, `{"object_kind":"issue","project":{"path_with_namespace":"a/b"}}`, "gitlab.issue", "a/b issue"},
		{"Gitea", "another event", []string{"X-Gitea-Event", "release"}, `{"repository":{"full_name":"a/b"}}`, "gitea.release", "a/b release"},
		{"Gitea", "no event", nil, `{"ref":"refs/heads/main","repository":{"full_name":"a/b"}}`, "gitea.unknown", "a/b refs/heads/main"},
		{"Stripe", "an object without an ID", nil, `{"id":"evt_1","type":"balance.available","data":{"object":{}}}`, "stripe.balance.available", ""},
		{"Discord", "a ping", nil, `{"type":0}`, "discord.unknown", ""},
		{"Jira", "an issue", nil, `{"webhookEvent":"jira:issue_created","issue":{"key":"APP-1"}}`, "jira.issue_created", "APP-1"},
		{"Jira", "another event", nil, `{"webhookEvent":"comment_created"}`, "jira.comment_created", ""},
		{"Zoom", "no JSON", nil, `Hello World!`, "zoom.unknown", ""},
	} {
		for _, s := range senders {
			if s.name != tt.sender {
				continue
			}
			src := s.signing()
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			d, err := src.Open(webhooktest.NewRequest(src, "/hook", []byte(tt.body), tt.header...), []byte(tt.body))
			if err != nil {
				t.Fatalf("%s: %s: %v", tt.sender, tt.what, err)
			}
			if d.Type != tt.typ || d.OrderingKey != tt.orderingKey {
				t.Errorf("%s: %s: got type %q and ordering key %q, want %q and %q", tt.sender, tt.what, d.Type, d.OrderingKey, tt.typ, tt.orderingKey)
			}
		}
	}
}

func TestSendersSayWhatIsMalformed(t *testing.T) {
	for _, s := range senders {
		if s.name == "Twilio" {
			continue // it sends forms
		}
		src := s.signing()
		r := webhooktest.NewRequest(src, "/hook", []byte("{"), s.header...)
		if about := src.Describe(r, []byte("{")); about.Malformed == nil {
			t.Errorf("%s: got %+v, want Malformed", s.name, about)
		}
	}
}

package handshake_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
)

// A delivery that resembles a handshake must become a delivery: an answer would lose it.
func TestDeliveriesAreNotAnswered(t *testing.T) {
	t.Run("Slack", func(t *testing.T) {
		check(t, handshake.Slack, []row{
			{"an event in which a user writes of it", post(`{"type":"event_callback","challenge":"a","event":{"type":"url_verification","text":"url_verification"}}`), none},
			{"an inner event beside the type", post(`{"type":"url_verification","challenge":"a","event":{"type":"message"}}`), none},
			{"a type after an event's", post(`{"type":"event_callback","challenge":"a","type":"url_verification"}`), none},
			{"a type in another case", post(`{"Type":"event_callback","challenge":"a","type":"url_verification"}`), none},
			{"two challenges", post(`{"challenge":"a","challenge":"b","type":"url_verification"}`), none},
			{"a list", post(`[{"type":"url_verification","challenge":"a"}]`), none},
			{"two documents", post(`{"type":"url_verification","challenge":"a"}{}`), none},
		})
	})
	t.Run("Zoom", func(t *testing.T) {
		check(t, handshake.Zoom(webhook.Key{Secret: webhook.NewSecret("s")}), []row{
			{"an event before", post(`{"event":"meeting.started","payload":{"plainToken":"a"},"event":"endpoint.url_validation"}`), none},
			{"an event in another case", post(`{"event":"endpoint.url_validation","Event":"meeting.started","payload":{"plainToken":"a"}}`), none},
			{"two payloads", post(`{"event":"endpoint.url_validation","payload":{"object":{}},"payload":{"plainToken":"a"}}`), none},
			{"a list of tokens", post(`{"event":"endpoint.url_validation","payload":{"plainToken":["a"]}}`), none},
		})
	})
	const app = `"application_id":"2"`
	t.Run("Discord", func(t *testing.T) {
		check(t, handshake.Combine(handshake.DiscordEvents, handshake.DiscordInteractions), []row{
			{"an event of type 0", post(`{"type":0,` + app + `,"event":{"type":"LOBBY_MESSAGE_CREATE"}}`), none},
			{"an event that is null", post(`{"type":1,` + app + `,"event":null}`), none},
			{"two types", post(`{"type":2,` + app + `,"type":1}`), none},
			{"a type in another case", post(`{"type":1,"TYPE":2,` + app + `}`), none},
			{"a number in another form", post(`{"type":1.0,` + app + `}`), none},
			{"a type as text", post(`{"type":"1",` + app + `}`), none},
			{"a type of a member", post(`{"data":{"type":1},` + app + `}`), none},
			{"another sender's type 0", post(`{"type":0,"id":"2"}`), none},
			{"another sender's type 1", post(`{"type":1,"id":"2"}`), none},
		})
	})
	t.Run("Microsoft Graph", func(t *testing.T) {
		query := func(body string) call { return call{method: "POST", target: "/?validationToken=a", body: body} }
		check(t, handshake.MicrosoftGraph, []row{
			{"a notification with a token in its query", query(`{"value":[{"subscriptionId":"1"}]}`), none},
			{"after white space", query("\r\n\t {}"), none},
			{"a list", query("[{}]"), none},
			{"no body", query(""), "200 " + plainText + " a"},
			{"white space", query("\r\n"), "200 " + plainText + " a"},
		})
	})
}

package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/hookhouse/hookhouse/internal/scan"
	"github.com/hookhouse/hookhouse/webhook"
)

// The members that decide whether a body is a handshake, and the ones that an answer needs.
var (
	slackPaths   = scan.New("type", "challenge", "event")
	zoomPaths    = scan.New("event", "payload.plainToken")
	discordPaths = scan.New("type", "application_id", "event")
)

// Slack answers the url_verification event of the Events API with its challenge, after
// the signature. Slack sends it when the Request URL is saved.
//
// See https://docs.slack.dev/reference/events/url_verification
func Slack(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	const typ = "url_verification"
	var v [3]scan.Value
	if proof == nil || !members(body, typ, slackPaths, v[:]) {
		return nil
	}
	challenge := plain(v[1])
	if !is(v[0], typ) || challenge == "" || v[2].Kind != scan.Absent {
		return nil
	}
	return textAnswer(http.StatusOK, challenge)
}

// Zoom returns a Func that answers the event endpoint.url_validation, after the signature,
// with its plainToken and the HMAC-SHA256 of it under the app's secret token. Zoom sends it
// when the address is saved, and every 72 hours.
//
// The keys are those of the Source's HMAC. If there are several, the one whose label is
// [webhook.Proof.KeyLabel] is used. Zoom panics if there are none, or if a secret is empty or two
// labels are equal.
//
// See https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
func Zoom(keys ...webhook.Key) Func {
	if len(keys) == 0 {
		panic("handshake: Zoom has no keys")
	}
	keys = slices.Clone(keys)
	for i, k := range keys {
		if k.Secret.IsZero() {
			panic(fmt.Sprintf("handshake: Zoom: the secret of key %d is empty", i+1))
		}
		if keyOf(keys[:i], k.Label) >= 0 {
			panic(fmt.Sprintf("handshake: Zoom: the label %q of key %d is that of another key", k.Label, i+1))
		}
	}
	return func(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
		const event = "endpoint.url_validation"
		var v [2]scan.Value
		if proof == nil || !members(body, event, zoomPaths, v[:]) {
			return nil
		}
		token := plain(v[1])
		if !is(v[0], event) || token == "" {
			return nil
		}
		i := keyOf(keys, proof.KeyLabel)
		if len(keys) == 1 {
			i = 0
		}
		if i < 0 {
			return nil
		}
		return zoomAnswer(token, keys[i].Secret)
	}
}

func zoomAnswer(token string, secret webhook.Secret) *webhook.Answer {
	mac := hmac.New(sha256.New, secret.Reveal())
	mac.Write([]byte(token))
	document, _ := json.Marshal(struct { // strings: cannot fail
		Plain     string `json:"plainToken"`
		Encrypted string `json:"encryptedToken"`
	}{token, hex.EncodeToString(mac.Sum(nil))})
	return jsonAnswer(document)
}

// keyOf returns the index of the key with the label, -1 if there is none.
func keyOf(keys []webhook.Key, label string) int {
	return slices.IndexFunc(keys, func(k webhook.Key) bool { return k.Label == label })
}

// DiscordEvents answers the PING of the Webhook Events URL, whose type is 0, with 204,
// after the signature. Discord sends it when the address is saved. Now and then it sends
// one with a wrong signature, which a Receiver answers with 401, as it must. A PING has a
// member "application_id" and no member "event".
//
// See https://docs.discord.com/developers/events/webhook-events#acknowledging-ping-requests
func DiscordEvents(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof == nil || !isDiscordPing(body, "0") {
		return nil
	}
	return &webhook.Answer{Status: http.StatusNoContent, Header: http.Header{"Content-Type": {"application/json"}}}
}

// DiscordInteractions answers the PING of the Interactions Endpoint URL, whose type is 1,
// with {"type":1}, after the signature. A PING has a member "application_id". A webhook
// event also has type 1 and is not answered: it has a member "event". Other interactions
// need an answer of the program's own, for which there is [webhook.Source.Middleware].
//
// See https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
func DiscordInteractions(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof == nil || !isDiscordPing(body, "1") {
		return nil
	}
	return jsonAnswer([]byte(`{"type":1}`))
}

// isDiscordPing reports whether a body is a PING with the given type. It asks for
// application_id, which each body of Discord has, since other senders number their types
// too.
func isDiscordPing(body []byte, typ string) bool {
	var v [3]scan.Value
	return members(body, "application_id", discordPaths, v[:]) &&
		isNumber(v[0], typ) && v[1].Kind == scan.String && v[2].Kind == scan.Absent
}

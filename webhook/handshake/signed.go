package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// Slack answers the url_verification event of the Events API with its challenge, after
// the signature. Slack sends it when the Request URL is saved.
//
// See https://docs.slack.dev/reference/events/url_verification
func Slack(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof == nil {
		return nil
	}
	event := members(body, "url_verification")
	challenge := text(event["challenge"])
	if text(event["type"]) != "url_verification" || !isPlain(challenge) {
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
		if proof == nil {
			return nil
		}
		event := members(body, "endpoint.url_validation")
		plain := text(members(event["payload"], "")["plainToken"])
		if text(event["event"]) != "endpoint.url_validation" || !isPlain(plain) {
			return nil
		}
		i := keyOf(keys, proof.KeyLabel)
		if len(keys) == 1 {
			i = 0
		}
		if i < 0 {
			return nil
		}
		return zoomAnswer(plain, keys[i].Secret)
	}
}

func zoomAnswer(plain string, secret webhook.Secret) *webhook.Answer {
	mac := hmac.New(sha256.New, secret.Reveal())
	mac.Write([]byte(plain))
	document, _ := json.Marshal(struct { // strings: cannot fail
		Plain     string `json:"plainToken"`
		Encrypted string `json:"encryptedToken"`
	}{plain, hex.EncodeToString(mac.Sum(nil))})
	return jsonAnswer(document)
}

// keyOf returns the index of the key with the label, -1 if there is none.
func keyOf(keys []webhook.Key, label string) int {
	return slices.IndexFunc(keys, func(k webhook.Key) bool { return k.Label == label })
}

// DiscordEvents answers the PING of the Webhook Events URL, whose type is 0, with 204,
// after the signature. Discord sends it when the address is saved, and now and then one
// with a wrong signature, which must be answered with 401, as a Receiver does.
//
// See https://docs.discord.com/developers/events/webhook-events#acknowledging-ping-requests
func DiscordEvents(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof == nil || string(members(body, "type")["type"]) != "0" {
		return nil
	}
	return &webhook.Answer{Status: http.StatusNoContent, Header: http.Header{"Content-Type": {"application/json"}}}
}

// DiscordInteractions answers the PING of the Interactions Endpoint URL, whose type is 1,
// with {"type":1}, after the signature. A webhook event also has type 1 and is not
// answered: it has a member "event". Other interactions need an answer of the program's
// own, for which there is [webhook.Source.Middleware].
//
// See https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
func DiscordInteractions(_ *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	if proof == nil {
		return nil
	}
	interaction := members(body, "type")
	if _, isEvent := interaction["event"]; isEvent || string(interaction["type"]) != "1" {
		return nil
	}
	return jsonAnswer([]byte(`{"type":1}`))
}

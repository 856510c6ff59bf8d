package handshake

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Meta returns a Func that answers the verification request of Facebook, Instagram,
// Messenger and WhatsApp: a GET with hub.mode=subscribe, hub.verify_token and
// hub.challenge. If the token is one of the given, which are compared in constant time,
// the answer is the challenge. If it is not, the answer is 403. The token is in the
// query, which proxies log, so it must not be a secret that is used elsewhere. Meta panics
// if there are no tokens, or if one is empty.
//
// See https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
func Meta(verifyTokens ...webhook.Secret) Func {
	if len(verifyTokens) == 0 {
		panic("handshake: Meta has no verify token")
	}
	verifyTokens = slices.Clone(verifyTokens)
	for i, t := range verifyTokens {
		if t.IsZero() {
			panic(fmt.Sprintf("handshake: Meta: verify token %d is empty, so anyone could subscribe", i+1))
		}
	}
	return func(r *http.Request, _ []byte, proof *webhook.Proof) *webhook.Answer {
		if proof != nil || r.Method != http.MethodGet {
			return nil
		}
		if mode, _ := parameter(r, "hub.mode"); mode != "subscribe" {
			return nil
		}
		token, _ := parameter(r, "hub.verify_token")
		matches := false
		for _, t := range verifyTokens {
			matches = t.Equal([]byte(token)) || matches
		}
		if !matches {
			return textAnswer(http.StatusForbidden, "hub.verify_token is missing, repeated or wrong")
		}
		challenge, _ := parameter(r, "hub.challenge")
		if !isPlain(challenge) {
			return textAnswer(http.StatusBadRequest, "hub.challenge is missing, repeated, too long or not plain")
		}
		return textAnswer(http.StatusOK, challenge)
	}
}

// maxValidationToken is the maximum length of a token of Microsoft Graph.
const maxValidationToken = 1 << 10

// MicrosoftGraph answers the validation request of a change notification subscription, a
// POST with validationToken in the query, with the token. Nothing proves who sent it: do
// not use it for a Source that does not need it. A token that the package comment does not
// allow is answered with 400. A request with a JSON body is never answered: it is a
// notification, whatever its query.
//
// See https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation
func MicrosoftGraph(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
	body = bytes.TrimSpace(body)
	isJSON := len(body) > 0 && (body[0] == '{' || body[0] == '[')
	if proof != nil || r.Method != http.MethodPost || isJSON {
		return nil
	}
	token, ok := parameter(r, "validationToken")
	if !ok {
		return nil
	}
	// Microsoft Graph sends no HTML, so a token with markup is not its own.
	isForbidden := func(c rune) bool { return c < ' ' || c > '~' || c == '<' || c == '>' }
	if token == "" || len(token) > maxValidationToken || strings.IndexFunc(token, isForbidden) >= 0 {
		return textAnswer(http.StatusBadRequest, "validationToken is empty, too long, or not plain text")
	}
	return textAnswer(http.StatusOK, token)
}

// CloudEvents returns a Func that answers the validation request of the CloudEvents HTTP
// webhook specification, an OPTIONS with WebHook-Request-Origin, if the origin is one of
// those listed, in exact spelling. Azure Event Grid is "eventgrid.azure.net". The answer
// allows the sender perMinute requests per minute; zero means no limit. Another origin gets
// 405, which is no consent. The exchange keeps the sender from calling addresses that did
// not agree to it, and proves nothing about deliveries: these need a Verifier.
// WebHook-Request-Callback is not called.
//
// CloudEvents panics if perMinute is negative, if there are no origins, or if one is not a
// DNS name of at most 253 bytes.
//
// See https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md#4-abuse-protection
func CloudEvents(perMinute int, origins ...string) Func {
	if perMinute < 0 {
		panic(fmt.Sprintf("handshake: CloudEvents: %d requests per minute is negative", perMinute))
	}
	if len(origins) == 0 {
		panic("handshake: CloudEvents has no origins")
	}
	for _, o := range origins {
		if !isDNSName(o) {
			panic(fmt.Sprintf("handshake: CloudEvents: the origin %.300q is not a DNS name", o))
		}
	}
	origins = slices.Clone(origins)
	rate := "*"
	if perMinute > 0 {
		rate = strconv.Itoa(perMinute)
	}
	return func(r *http.Request, _ []byte, proof *webhook.Proof) *webhook.Answer {
		given := r.Header.Values("WebHook-Request-Origin")
		if proof != nil || r.Method != http.MethodOptions || len(given) != 1 || !slices.Contains(origins, given[0]) {
			return nil
		}
		return &webhook.Answer{Header: http.Header{
			"Allow":                  {http.MethodPost},
			"WebHook-Allowed-Origin": {given[0]},
			"WebHook-Allowed-Rate":   {rate},
		}}
	}
}

// isDNSName reports whether s has only the characters of a host name.
func isDNSName(s string) bool {
	return isPlain(s) && len(s) <= 253 && !strings.ContainsAny(s, "_~+/=")
}

// Trello answers HEAD with 200. Trello sends HEAD when a webhook is created. Nothing proves
// who sent it, and the answer has no content.
//
// See https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#creating-a-webhook
func Trello(r *http.Request, _ []byte, proof *webhook.Proof) *webhook.Answer {
	if proof != nil || r.Method != http.MethodHead {
		return nil
	}
	return new(webhook.Answer)
}

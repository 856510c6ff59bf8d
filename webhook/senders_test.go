package webhook_test

import (
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// A sender is a row of the table "Senders" in the package comment, with the literal of
// its Example and a call to it.
type sender struct {
	name    string // in the table
	vectors string // in testdata/senders/vectors.json
	example string // the name of the Example without "Example"
	source  func(url string, key webhook.Secret) webhook.Source
	covers  covers

	url        string // as registered, if it is signed
	key        string // that signs
	public     string // that verifies, if it is another one
	timeHeader string // has the time; empty if there is none
	idHeader   string // has the ID; empty if it is in the body or there is none
	typeHeader string // has the type; empty if it is in the body
	body       string
	header     []string // names and values
	typ, id    string   // of the delivery
}

// covers says what a proof covers, in the words of the table.
type covers struct {
	body, time, id, url string
}

// withoutURL is a literal whose proof does not cover the URL.
func withoutURL(f func(webhook.Secret) webhook.Source) func(string, webhook.Secret) webhook.Source {
	return func(_ string, key webhook.Secret) webhook.Source { return f(key) }
}

var senders = []sender{
	{
		name: "Bitbucket", vectors: "bitbucket", example: "HMAC_bitbucket", source: withoutURL(bitbucketSource),
		covers: covers{"yes", "no", "no", "no"},
		key:    "It's a Secret to Everybody", idHeader: "X-Request-UUID", typeHeader: "X-Event-Key",
		body: `{"repository":{"full_name":"acme/app"}}`, header: []string{"X-Event-Key", "repo:push", "X-Request-UUID", "9f1b0c3e"},
		typ: "bitbucket.repo:push", id: "9f1b0c3e",
	},
	{
		name: "Discord", vectors: "discord", example: "Ed25519_discord", source: withoutURL(discordSource),
		covers: covers{"yes", "yes", "none", "no"},
		key:    discordPrivateKey, public: discordPrivateKey[64:], timeHeader: "X-Signature-Timestamp",
		body: `{"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}`,
		typ:  "discord.APPLICATION_AUTHORIZED",
	},
	{
		name: "Gitea", vectors: "gitea", example: "HMAC_gitea", source: withoutURL(giteaSource),
		covers: covers{"yes", "no", "no", "no"},
		key:    "gitea-secret", idHeader: "X-Gitea-Delivery", typeHeader: "X-Gitea-Event",
		body: `{"ref":"refs/heads/develop"}`, header: []string{"X-Gitea-Event", "push", "X-Gitea-Delivery", "f6266f16"},
		typ: "gitea.push", id: "f6266f16",
	},
	{
		name: "GitLab, secret token", vectors: "gitlab token", example: "Token_gitlab", source: withoutURL(gitlabTokenSource),
		covers: covers{"no", "no", "no", "no"},
		key:    "s3cret-token", idHeader: "Idempotency-Key",
		body: `{"object_kind":"push"}`, header: []string{"Idempotency-Key", "f5e5f430"},
		typ: "gitlab.push", id: "f5e5f430",
	},
	{
		name: "GitLab, signing token", vectors: "gitlab", example: "StandardWebhooks_gitlab", source: withoutURL(gitlabSource),
		covers: covers{"yes", "yes", "yes", "no"},
		key:    "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=", timeHeader: "Webhook-Timestamp", idHeader: "Webhook-Id",
		body: `{"object_kind":"push"}`, header: []string{"Webhook-Id", "f5e5f430"},
		typ: "gitlab.push", id: "f5e5f430",
	},
	{
		name: "Jira", vectors: "jira", example: "HMAC_jira", source: withoutURL(jiraSource),
		covers: covers{"yes", "no", "no", "no"},
		key:    "It's a Secret to Everybody", idHeader: "X-Atlassian-Webhook-Identifier",
		body: `{"webhookEvent":"jira:issue_updated"}`, header: []string{"X-Atlassian-Webhook-Identifier", "f0a1"},
		typ: "jira.issue_updated", id: "f0a1",
	},
	{
		name: "Shopify", vectors: "shopify", example: "HMAC_shopify", source: withoutURL(shopifySource),
		covers: covers{"yes", "no", "no", "no"},
		key:    "hush", idHeader: "X-Shopify-Webhook-Id", typeHeader: "X-Shopify-Topic", timeHeader: "X-Shopify-Triggered-At",
		body: `{"id":820982911946154508}`, header: []string{"X-Shopify-Topic", "orders/create", "X-Shopify-Webhook-Id", "b54557e4"},
		typ: "shopify.orders/create", id: "b54557e4",
	},
	{
		name: "Slack", vectors: "slack", example: "HMAC_slack", source: withoutURL(slackSource),
		covers: covers{"yes", "yes", "in body", "no"},
		key:    "8f742231b10e8888abcd99yyyzzz85a5", timeHeader: "X-Slack-Request-Timestamp",
		body: `{"event_id":"Ev08MFMKH6","event":{"type":"reaction_added","channel":"C1"}}`,
		typ:  "slack.reaction_added", id: "Ev08MFMKH6",
	},
	{
		name: "Square", vectors: "square", example: "HMAC_square", source: squareSource,
		covers: covers{"yes", "no", "in body", "yes"},
		url:    "https://example.com/webhook", key: "asdf1234",
		body: `{"type":"payment.updated","event_id":"13b867cf"}`,
		typ:  "square.payment.updated", id: "13b867cf",
	},
	{
		name: "Stripe", vectors: "stripe", example: "HMAC_stripe", source: withoutURL(stripeSource),
		covers: covers{"yes", "yes", "in body", "no"},
		key:    "whsec_test_secret", timeHeader: "Stripe-Signature",
		body: `{"id":"evt_1","type":"payment_intent.succeeded"}`,
		typ:  "stripe.payment_intent.succeeded", id: "evt_1",
	},
	{
		name: "Svix", vectors: "svix", example: "StandardWebhooks_svix", source: withoutURL(svixSource),
		covers: covers{"yes", "yes", "yes", "no"},
		key:    "whsec_plJ3nmyCDGBKInavdOK15jsl", timeHeader: "Svix-Timestamp", idHeader: "Svix-Id",
		body: `{"event_type":"ping"}`, header: []string{"Svix-Id", "msg_1"},
		typ: "svix.ping", id: "msg_1",
	},
	{
		name: "Trello", vectors: "trello", example: "HMAC_trello", source: trelloSource,
		covers: covers{"yes", "no", "in body", "yes"},
		url:    "https://hooks.example.com/hooks/trello?board=1", key: "trello-oauth1-secret",
		body: `{"action":{"id":"51f9424b","type":"updateCard"}}`,
		typ:  "trello.updateCard", id: "51f9424b",
	},
	{
		name: "Twilio", vectors: "twilio", example: "Twilio", source: twilioSource,
		covers: covers{"yes", "no", "no", "yes"},
		url:    "https://mycompany.com/myapp.php?foo=1", key: "12345", idHeader: "I-Twilio-Idempotency-Token",
		body: `CallSid=CA1234567890ABCDE`, header: []string{"Content-Type", "application/x-www-form-urlencoded", "I-Twilio-Idempotency-Token", "d1b5"},
		typ: "twilio.call", id: "d1b5",
	},
	{
		name: "Zoom", vectors: "zoom", example: "HMAC_zoom", source: withoutURL(zoomSource),
		covers: covers{"yes", "yes", "none", "no"},
		key:    "zoom-secret-token", timeHeader: "X-Zm-Request-Timestamp",
		body: `{"event":"meeting.started"}`,
		typ:  "zoom.meeting.started",
	},
}

// signing returns the literal with the key that signs.
func (s sender) signing() webhook.Source { return s.source(s.url, webhook.NewSecret(s.key)) }

// verifying returns the literal with the key that verifies, for a registered URL.
func (s sender) verifying(url string) webhook.Source {
	key := s.key
	if s.public != "" {
		key = s.public
	}
	src := s.source(url, webhook.NewSecret(key))
	if err := src.Validate(); err != nil {
		panic(err)
	}
	return src
}

// open verifies a call.
func (s sender) open(url string, r *http.Request, body []byte) (*webhook.Delivery, error) {
	return s.verifying(url).Open(r, body)
}

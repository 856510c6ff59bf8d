package github

import (
	"crypto/sha1" //nolint:gosec // what servers too old for SHA-256 send
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxBody is GitHub's cap of 25 MB, read generously: what is larger is never
// sent (github/docs: payload_cap).
const maxBody = 25 << 20

// Source receives GitHub's webhooks, signed with any of the given secrets: list
// the old and the new one while a secret is rotated. It takes both content types
// that a hook can be set to; a form grows by its encoding, so a hook with events
// near the cap of 25 MB should send application/json.
//
// Without a secret, or with an empty one, [webhook.NewReceiver] panics. For
// labels of your own or secrets that change while the program runs, replace the
// result's Verifier; see [Verifier].
func Source(secrets ...webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:         sourceName,
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json", "application/x-www-form-urlencoded"},
		Verifier:     Verifier(webhook.Keys(secrets...)...),
		Describe:     describe,
	}
}

// Middleware lets only calls through that are signed with one of the secrets,
// for users who keep an http.Handler of their own; see
// [webhook.Source.Middleware]. The func that it returns panics
// where [webhook.NewReceiver] does.
func Middleware(secrets ...webhook.Secret) func(http.Handler) http.Handler {
	return Source(secrets...).Middleware
}

// Verifier verifies X-Hub-Signature-256, an HMAC over the body as it was sent,
// which for a form is the encoded text. Set its KeysFunc, and give no keys, for
// secrets that change while the program runs.
func Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: SignatureHeader, Prefix: "sha256=", Keys: keys}
}

// InsecureSHA1Verifier verifies the legacy X-Hub-Signature. It is for GitHub
// Enterprise Servers too old to send the other one, and for nothing else: SHA-1
// is broken for collisions. Use it alone: beside the other one in a
// [webhook.AnyOf] the weaker decides, and a captured call with one of its two
// signatures taken away has another dedup key and runs again. [Source] never
// looks at that header.
//
//	src := github.Source(secret)
//	src.Verifier = github.InsecureSHA1Verifier(webhook.Keys(secret)...)
func InsecureSHA1Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: SHA1SignatureHeader, Prefix: "sha1=", Hash: sha1.New, Keys: keys}
}

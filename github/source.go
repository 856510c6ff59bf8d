package github

import (
	"crypto/sha1" //nolint:gosec // for servers that are too old for SHA-256

	"github.com/hookhouse/hookhouse/webhook"
)

// The headers of a delivery (github/docs: webhook-events-and-payloads). The
// signature covers none of them.
const (
	EventHeader    = "X-GitHub-Event"    // the name of the event, such as "push", which is not in the body
	DeliveryHeader = "X-GitHub-Delivery" // the GUID of the event, equal at all hooks and in a redelivery
	HookIDHeader   = "X-GitHub-Hook-ID"  // decimal

	// TargetTypeHeader contains the kind of the hook's owner: "repository",
	// "organization", or "integration" for a GitHub App. TargetIDHeader
	// contains its id.
	TargetTypeHeader = "X-GitHub-Hook-Installation-Target-Type"
	TargetIDHeader   = "X-GitHub-Hook-Installation-Target-ID"

	// SignatureHeader contains "sha256=" and 64 hex digits, SHA1SignatureHeader
	// "sha1=" and 40. GitHub sends both if the hook has a secret.
	SignatureHeader     = "X-Hub-Signature-256"
	SHA1SignatureHeader = "X-Hub-Signature"

	// Only GitHub Enterprise Server sends EnterpriseVersionHeader and
	// EnterpriseHostHeader.
	EnterpriseVersionHeader = "X-GitHub-Enterprise-Version"
	EnterpriseHostHeader    = "X-GitHub-Enterprise-Host"
)

// maxBody is GitHub's limit of 25 MB, taken as MiB. GitHub does not send larger
// bodies (github/docs: payload_cap).
const maxBody = 25 << 20

// Source returns a Source named "github" that accepts calls signed with one of
// the secrets. While a secret is rotated, pass both the new and the old one.
//
// The Source accepts both content types that a hook can have and bodies of up
// to 25 MiB. Form encoding enlarges a body, so a hook for events near GitHub's
// limit of 25 MB should send application/json.
//
// [webhook.NewReceiver] panics if there is no secret or if one is empty. For
// labels of your own, or for secrets that change while the program runs,
// replace the Verifier of the result; see [Verifier].
func Source(secrets ...webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:         sourceName,
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json", "application/x-www-form-urlencoded"},
		Verifier:     Verifier(webhook.Keys(secrets...)...),
		Describe:     describe,
	}
}

// Verifier returns a verifier for X-Hub-Signature-256, an HMAC over the body as
// sent, which for a form is the encoded text. For secrets that change while the
// program runs, pass no keys and set KeysFunc of the result.
func Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: SignatureHeader, Prefix: "sha256=", Keys: keys}
}

// InsecureSHA1Verifier returns a verifier for the legacy X-Hub-Signature. It is
// only for GitHub Enterprise Servers that are too old to send
// X-Hub-Signature-256, because SHA-1 is not collision resistant. [Source]
// ignores the legacy header.
//
// Do not combine it with [Verifier] in a [webhook.AnyOf]. The weaker of the two
// would decide, and a captured call from which one of the two signatures is
// removed has another dedup key and runs again.
//
//	src := github.Source(secret)
//	src.Verifier = github.InsecureSHA1Verifier(webhook.Keys(secret)...)
func InsecureSHA1Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: SHA1SignatureHeader, Prefix: "sha1=", Hash: sha1.New, Keys: keys}
}

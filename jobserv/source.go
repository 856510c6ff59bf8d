package jobserv

import "github.com/hookhouse/hookhouse/webhook"

const (
	sourceName = "jobserv"
	eventType  = "jobserv.build"

	signatureHeader = "X-JobServ-Sig"
	signaturePrefix = "sha256:" // with a colon (JobServ: notify.py)
)

// maxBody is 17 MiB. The annotation of a build is a MEDIUMTEXT column of up to
// 16 MiB, and the rest of a body stays well under 1 MiB. JobServ cannot send a
// build again, so the limit admits everything that it can store, except an
// annotation that grows further because many of its characters are escaped.
const maxBody = 17 << 20

// Source returns a Source named "jobserv" that accepts JSON bodies of up to
// 17 MiB signed with one of the secrets. While a secret is rotated, pass both
// the new and the old one. Lower MaxBody if nobody writes long annotations.
//
// The Type of every delivery is "jobserv.build", and its ordering key is the
// project. JobServ sends no delivery id. If the body has the build's time of
// completion, there are two dedup keys: the build with that time, and the
// signature.
//
// [webhook.NewReceiver] panics if there is no secret or if one is empty.
func Source(secrets ...webhook.Secret) webhook.Source {
	return webhook.Source{
		Name:         sourceName,
		MaxBody:      maxBody,
		ContentTypes: []string{"application/json"},
		Verifier:     Verifier(webhook.Keys(secrets...)...),
		Describe:     describe,
	}
}

// Verifier returns the Verifier of [Source]. Use it for keys with labels of
// your own, or to assemble a webhook.Source yourself.
func Verifier(keys ...webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{Header: signatureHeader, Prefix: signaturePrefix, Keys: keys}
}

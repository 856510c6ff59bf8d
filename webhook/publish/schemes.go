package publish

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/hookhouse/hookhouse/webhook"
)

// The Standard Webhooks specification asks for secrets of 24 to 64 bytes
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
const (
	leastSecretBytes = 24
	mostSecretBytes  = 64
)

var standard = Scheme{
	Signer: func(keys []webhook.Key) webhook.Signer { return &webhook.StandardWebhooks{Keys: keys} },
	Generate: func() webhook.Secret {
		return webhook.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(randomBytes()))
	},
	Check: checkStandard,
	Many:  true,
}

var standardEd25519 = Scheme{
	Signer: standard.Signer,
	Generate: func() webhook.Secret {
		return webhook.NewSecret("whsk_" + base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(randomBytes())))
	},
	Check: checkStandard,
	Many:  true,
}

// checkStandard refuses a public key, which cannot sign, and a key of another length than
// the specification has.
func checkStandard(secret webhook.Secret) error {
	text := string(secret.Reveal())
	if strings.HasPrefix(text, "whpk_") {
		return errors.New("it is a public key, which cannot sign")
	}
	if err := (&webhook.StandardWebhooks{Keys: webhook.Keys(secret)}).Validate(); err != nil {
		return err
	}
	if strings.HasPrefix(text, "whsk_") {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(raw) < leastSecretBytes || len(raw) > mostSecretBytes {
		return errors.New("a key of whsec_ has 24 to 64 bytes")
	}
	return nil
}

// PublicKey returns the public key, in the form whpk_, of a secret in the form whsk_: what
// the receivers of an endpoint with the scheme standard-ed25519 need. The result is false if
// the secret is none.
func PublicKey(secret webhook.Secret) (text string, ok bool) {
	encoded, ok := strings.CutPrefix(string(secret.Reveal()), "whsk_")
	if !ok || checkStandard(secret) != nil {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	public := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize]).Public().(ed25519.PublicKey)
	return "whpk_" + base64.StdEncoding.EncodeToString(public), true
}

// gitHub has the headers of package github (github/docs: webhook-events-and-payloads).
var gitHub = Scheme{
	Signer: func(keys []webhook.Key) webhook.Signer {
		return &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys}
	},
	Prepare: func(r *http.Request, m Message) {
		r.Header.Set("X-GitHub-Event", strings.TrimPrefix(m.Type, "github."))
		r.Header.Set("X-GitHub-Delivery", uuid(uidOf(m.ID)))
	},
	Generate: randomHex,
}

// jobServ has the header of package jobserv (foundriesio/jobserv: notify.py).
var jobServ = Scheme{
	Signer: func(keys []webhook.Key) webhook.Signer {
		return &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: keys}
	},
	Generate: randomHex,
}

// basic is Basic authentication (RFC 7617).
var basic = Scheme{
	Signer: func(keys []webhook.Key) webhook.Signer {
		user, password, _ := strings.Cut(string(keys[0].Secret.Reveal()), ":")
		return &webhook.BasicAuth{User: user, Keys: webhook.Keys(webhook.NewSecret(password))}
	},
	Check: func(secret webhook.Secret) error {
		text := string(secret.Reveal())
		user, password, ok := strings.Cut(text, ":")
		switch {
		case !ok || user == "" || password == "":
			return errors.New("it must be a user name, a colon and a password")
		case strings.ContainsFunc(text, unicode.IsControl):
			return errors.New("it has a control character")
		}
		return nil
	},
	Challenged: true,
}

// uuid writes 32 hexadecimal digits as GUIDs are written. Anything else is returned as it is.
func uuid(s string) string {
	if len(s) != 32 {
		return s
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// randomHex returns a secret of 64 hexadecimal digits.
func randomHex() webhook.Secret { return webhook.NewSecret(hex.EncodeToString(randomBytes())) }

// randomBytes returns 256 random bits.
func randomBytes() []byte {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	return raw
}

package inspect_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// keyedVerifiers make a verifier of each kind with a key.
var keyedVerifiers = map[string]func(webhook.Key) webhook.Verifier{
	"HMAC": func(k webhook.Key) webhook.Verifier { return &webhook.HMAC{Header: "X-Sig", Keys: []webhook.Key{k}} },
	"HMAC with all that can be signed": func(k webhook.Key) webhook.Verifier {
		return &webhook.HMAC{
			Header: "X-Sig", Encoding: webhook.Base64, Signed: "{id}.{timestamp}.{url}{body}", TimestampHeader: "X-Time", IDHeader: "X-Id",
			URL: "https://acme.example/hooks", Keys: []webhook.Key{k},
		}
	},
	"HMAC with items": func(k webhook.Key) webhook.Verifier {
		return &webhook.HMAC{Header: "X-Sig", Items: webhook.Items{Time: "t", Signature: "v1", Separator: ";"}, Signed: "{timestamp}.{body}", Keys: []webhook.Key{k}}
	},
	"StandardWebhooks": func(k webhook.Key) webhook.Verifier {
		return &webhook.StandardWebhooks{Keys: []webhook.Key{{Label: k.Label, Secret: webhook.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(k.Secret.Reveal()))}}}
	},
	"Ed25519": func(k webhook.Key) webhook.Verifier {
		private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(k.Secret.Reveal()), 32)[:ed25519.SeedSize]))
		return &webhook.Ed25519{Header: "X-Sig", Keys: []webhook.Key{{Label: k.Label, Secret: webhook.NewSecret(hex.EncodeToString(private))}}}
	},
	"Twilio": func(k webhook.Key) webhook.Verifier {
		return &webhook.Twilio{URL: "https://acme.example/hooks", Keys: []webhook.Key{k}}
	},
	"Token":     func(k webhook.Key) webhook.Verifier { return &webhook.Token{Header: "X-Token", Keys: []webhook.Key{k}} },
	"BasicAuth": func(k webhook.Key) webhook.Verifier { return &webhook.BasicAuth{Keys: []webhook.Key{k}} },
	"AllOf": func(k webhook.Key) webhook.Verifier {
		return webhook.NewAllOf(&webhook.IPAllowList{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, &webhook.HMAC{Header: "X-Sig", Keys: []webhook.Key{k}})
	},
}

func TestTheKeyOfEachVerifierIsLookedAt(t *testing.T) {
	for name, verifier := range keyedVerifiers {
		mine := webhook.Source{Name: "acme", Verifier: verifier(webhook.Key{Label: "mine", Secret: webhook.NewSecret(ours)})}
		sender := webhook.Source{Name: "sender", Verifier: verifier(webhook.Key{Label: "the sender's", Secret: webhook.NewSecret(theirs)})}
		if err := sender.Validate(); err != nil {
			t.Fatal(err)
		}
		body := []byte(`{"a":1}`)
		send := func(r *rig, h http.Handler) {
			if w := serveCall(h, webhooktest.NewRequest(sender, "https://acme.example/hooks", body)); w.Code != 401 {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
		r := newRig(t)
		h := r.receiver(mine)
		send(r, h)
		r.requireCause(401, "secret_wrong", `with the label "mine" tried`, []string{ours, theirs}, body)
		r.receiver(sender)
		send(r, h)
		r.requireCause(401, "other_source", `It is the key with the label "the sender's" of source sender`, []string{ours, theirs}, body)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// A custom verifier says what it does not like. Its values cannot be compared.
type custom struct{ _ []string }

func (custom) Admit(*http.Request) error { return nil }

func (custom) Verify(*http.Request, []byte) (webhook.Proof, error) {
	return webhook.Proof{}, errors.New("<the seal> of https://acme.example/x?token=" + planted + " is broken")
}

func TestWhatAnotherVerifierSaysIsShown(t *testing.T) {
	r := newRig(t)
	serveCall(r.receiver(webhook.Source{Name: "acme", Verifier: custom{}}), webhooktest.NewRequest(gitHubSource(ours), "/", []byte("{}")))
	serveCall(r.receiver(gitHubSource(ours)), webhooktest.NewRequest(gitHubSource(theirs), "/", []byte("{}")))
	r.requireCause(401, "secret_wrong", "key-1", []string{ours, theirs})
	serveCall(r.receiver(webhook.Source{Name: "acme", Verifier: custom{}}), webhooktest.NewRequest(gitHubSource(ours), "/", []byte("{}")))
	r.requireCause(401, "verifier", "<the seal> of https://acme.example/REDACTED is broken", []string{planted})

	list := &webhook.IPAllowList{Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	src := gitHubSource(ours)
	src.Verifier = webhook.NewAllOf(list, src.Verifier)
	serveCall(r.receiver(src), webhooktest.NewRequest(gitHubSource(ours), "/", []byte("{}")))
	r.requireCause(401, "verifier", "address 192.0.2.1 is not on the list", []string{ours})
}

func TestAKeyThatIsMissingIsNamed(t *testing.T) {
	r := newRig(t)
	src := gitHubSource()
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(*http.Request) ([]webhook.Key, error) { return nil, nil }}
	sendGitHub(t, r.receiver(src), ours, webhooktest.GitHubPush())
	r.requireCause(401, "keys", "There is no key for the call", []string{ours}, webhooktest.GitHubPush())
}

func TestACallThatAnotherHandlerAnswers(t *testing.T) {
	r := newRig(t)
	maintenance := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "closed", http.StatusForbidden) })
	}
	sendGitHub(t, r.receiver(gitHubSource(ours), maintenance), ours, webhooktest.GitHubPush())
	r.requireCause(403, "other", "and not the receiver", []string{ours}, webhooktest.GitHubPush())
	src := gitHubSource(ours)
	sendGitHub(t, r.Watch(src, src.Middleware(http.NotFoundHandler())), theirs, webhooktest.GitHubPush())
	r.requireCause(401, "secret_wrong", "key-1", []string{ours}, webhooktest.GitHubPush())
}

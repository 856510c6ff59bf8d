package publish_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// acme is a MAC of the program's own.
func acme(keys []webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{
		Header: "X-Acme-Signature", Signed: "{timestamp}.{id}.{body}", TimestampHeader: "X-Acme-Timestamp", IDHeader: "Webhook-Id", Keys: keys,
	}
}

func TestSchemesVerify(t *testing.T) {
	public := func(s webhook.Secret) webhook.Secret {
		text, ok := publish.PublicKey(s)
		if !ok {
			t.Errorf("PublicKey of a secret of standard-ed25519 is none")
		}
		return webhook.NewSecret(text)
	}
	for name, verifier := range map[string]func(webhook.Secret) validated{
		"standard": func(s webhook.Secret) validated {
			return &webhook.StandardWebhooks{Keys: webhook.Keys(s)}
		},
		"standard-ed25519": func(s webhook.Secret) validated {
			return &webhook.StandardWebhooks{Keys: webhook.Keys(public(s))}
		},
		"github": func(s webhook.Secret) validated {
			return &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: webhook.Keys(s)}
		},
		"jobserv": func(s webhook.Secret) validated {
			return &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: webhook.Keys(s)}
		},
		"acme": func(s webhook.Secret) validated {
			return acme(webhook.Keys(s))
		},
	} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			r.Schemes = map[string]publish.Scheme{"acme": publish.HMACScheme(acme)}
			e := r.create("a", func(e *publish.Endpoint) { e.Scheme = name })
			if len(e.Secrets) != 1 {
				t.Fatalf("%s: %d secrets were generated, want 1", name, len(e.Secrets))
			}
			r.net.at("a", acceptsBy(t, verifier(e.Secrets[0].Secret)))
			r.start()
			r.publish(publish.Event{Type: "github.push"})
			advance(time.Second)
			if a := r.attempts("a"); len(a) != 1 || a[0].Result != publish.Delivered {
				t.Errorf("%s: attempts %+v, want one that verifies", name, a)
			}
			header := r.net.to("a")[0].header
			if name == "github" && (header.Get("X-GitHub-Event") != "push" || len(header.Get("X-GitHub-Delivery")) != 36) {
				t.Errorf("github: event %q, delivery %q", header.Get("X-GitHub-Event"), header.Get("X-GitHub-Delivery"))
			}
		})
	}
}

func TestBasicIsSentAfterAChallenge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a", func(e *publish.Endpoint) { e.Scheme, e.Secrets = "basic", secrets("me:hidden") })
		r.net.at("a", func(req *http.Request, body []byte) (*http.Response, error) {
			if user, password, ok := req.BasicAuth(); !ok || user != "me" || password != "hidden" {
				return status(401, "WWW-Authenticate", `Basic realm="a"`)(req, body)
			}
			return status(200)(req, body)
		})
		r.start()
		r.publish(publish.Event{Payload: "body"})
		advance(time.Second)
		calls := r.net.to("a")
		if len(calls) != 2 || calls[0].user != "" || calls[1].user != "me" || calls[1].body != "body" {
			t.Errorf("calls %+v, want one without and one with the credentials", calls)
		}
		if a := r.attempts("a"); len(a) != 1 || a[0].Result != publish.Delivered {
			t.Errorf("attempts %+v, want one", a)
		}
		r.net.at("a", status(401)) // no challenge
		r.publish(publish.Event{})
		advance(time.Second)
		calls = r.net.to("a")
		if len(calls) != 3 || calls[2].user != "" {
			t.Errorf("calls %+v, want no credentials without a challenge", calls[2:])
		}
	})
}

func TestBothSchemesSignOneRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		standard := publish.Scheme{
			Signer: func(keys []webhook.Key) webhook.Signer { return &webhook.StandardWebhooks{Keys: keys} }, Many: true,
		}
		r.Schemes = map[string]publish.Scheme{"moving": publish.Both(publish.HMACScheme(acme), standard)}
		secret := webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		r.create("a", func(e *publish.Endpoint) { e.Scheme, e.Secrets = "moving", []publish.Secret{{Secret: secret}} })
		r.start()
		old := acme(webhook.Keys(secret))
		both := webhook.NewAllOf(old, &webhook.StandardWebhooks{Keys: webhook.Keys(secret)})
		r.net.at("a", acceptsBy(t, both))
		r.publish(publish.Event{})
		advance(time.Second)
		if a := r.attempts("a"); len(a) != 1 || a[0].Result != publish.Delivered {
			t.Errorf("attempts %+v, want one that verifies in both ways", a)
		}
	})
}

func TestASchemeThatDoesNotSignIsInsecureByName(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Schemes = map[string]publish.Scheme{"mine": {}, "insecure-mine": {}}
		_, err := r.Create(t.Context(), publish.Endpoint{URL: "https://a/", Events: []string{"*"}, Scheme: "mine"})
		if !errors.Is(err, publish.ErrEndpoint) || !strings.Contains(err.Error(), "insecure-") {
			t.Errorf("Create with a scheme that does not sign = %v, want ErrEndpoint", err)
		}
		for _, name := range []string{"insecure-none", "insecure-mine"} {
			r.create(name, func(e *publish.Endpoint) { e.Scheme = name })
		}
		r.start()
		r.publish(publish.Event{})
		advance(time.Second)
		for _, host := range []string{"insecure-none", "insecure-mine"} {
			calls := r.net.to(host)
			if len(calls) != 1 || calls[0].header.Get("Webhook-Signature") != "" {
				t.Errorf("%s: calls %+v, want one without a signature", host, calls)
			}
		}
	})
}

func TestASchemeThatThisProcessLacksCostsNoAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.Schemes = map[string]publish.Scheme{"mine": publish.HMACScheme(acme)}
		r.create("a", func(e *publish.Endpoint) { e.Scheme = "mine" })
		r.publish(publish.Event{})
		r.use(r.inbox, r.store) // another process
		r.start()
		advance(time.Minute)
		if n := len(r.attempts("a")); n != 0 || len(r.net.to("a")) != 0 {
			t.Errorf("%d attempts, want none", n)
		}
		if !strings.Contains(r.log.String(), "there is no such scheme") {
			t.Errorf("the log lacks the fault:\n%s", r.log)
		}
	})
}

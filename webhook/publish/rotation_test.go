package publish_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// accepts returns a host that answers 200 to what the secret verifies, and 401 otherwise.
func accepts(t *testing.T, secret webhook.Secret) host {
	t.Helper()
	return acceptsBy(t, &webhook.StandardWebhooks{Keys: webhook.Keys(secret)})
}

type validated interface {
	webhook.Verifier
	Validate() error
}

// acceptsBy returns a host that answers 200 to what the verifier accepts, and 401 otherwise.
func acceptsBy(t *testing.T, v validated) host {
	t.Helper()
	if err := v.Validate(); err != nil {
		t.Fatal(err)
	}
	return func(r *http.Request, body []byte) (*http.Response, error) {
		if _, err := v.Verify(r, body); err != nil {
			return status(401)(r, body)
		}
		return status(200)(r, body)
	}
}

func TestBothSecretsSignDuringTheOverlap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		old := r.create("a").Secrets[0].Secret
		r.start()
		rotated, err := r.Rotate(t.Context(), "a", webhook.Secret{}, time.Hour)
		if err != nil || len(rotated.Secrets) != 2 {
			t.Fatalf("Rotate = %v, %v, want two secrets", rotated, err)
		}
		next := rotated.Secrets[1].Secret
		works := func(secret webhook.Secret) bool {
			r.net.at("a", accepts(t, secret))
			r.publish(publish.Event{})
			advance(time.Second)
			attempts := r.attempts("a")
			return attempts[len(attempts)-1].Result == publish.Delivered
		}
		if !works(old) || !works(next) {
			t.Error("one of the two secrets does not verify during the overlap")
		}
		advance(time.Hour)
		if !works(next) {
			t.Error("the new secret does not verify after the overlap")
		}
		if works(old) {
			t.Error("the old secret verifies after the overlap")
		}
	})
}

func TestARotationCanEndTheOldSecretNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		next := webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU")
		e, err := r.Rotate(t.Context(), "a", next, 0)
		if err != nil || len(e.Secrets) != 1 || !e.Secrets[0].Equal(next.Reveal()) {
			t.Errorf("Rotate = %d secrets, %v, want the new one alone", len(e.Secrets), err)
		}
		for name, err := range map[string]error{
			"an unusable secret": second(r.Rotate(t.Context(), "a", webhook.NewSecret("whsec_!"), 0)),
			"a short secret":     second(r.Rotate(t.Context(), "a", webhook.NewSecret("whsec_MfKQ9r8GKYqr"), 0)),
			"a negative overlap": second(r.Rotate(t.Context(), "a", next, -1)),
		} {
			if !errors.Is(err, publish.ErrEndpoint) {
				t.Errorf("%s: %v, want ErrEndpoint", name, err)
			}
		}
	})
}

func second(_ *publish.Endpoint, err error) error { return err }

func TestTheOldestSecretSignsWhereThereIsOneSignature(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		old := r.create("a", func(e *publish.Endpoint) { e.Scheme = "github" }).Secrets[0].Secret
		r.start()
		rotated, err := r.Rotate(t.Context(), "a", webhook.Secret{}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		works := func(secret webhook.Secret) bool {
			r.net.at("a", acceptsBy(t, &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: webhook.Keys(secret)}))
			r.publish(publish.Event{})
			advance(time.Second)
			attempts := r.attempts("a")
			return attempts[len(attempts)-1].Result == publish.Delivered
		}
		if !works(old) {
			t.Error("the old secret does not sign during the overlap")
		}
		advance(time.Hour)
		if !works(rotated.Secrets[1].Secret) {
			t.Error("the new secret does not sign after the overlap")
		}
	})
}

func TestNewSecretsAndURLsApplyToWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t)
		r.create("a")
		r.net.at("a", status(500))
		r.start()
		for range 5 {
			r.publish(publish.Event{})
		}
		advance(20 * time.Second)
		rotated, err := r.Rotate(t.Context(), "a", webhook.Secret{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Update(t.Context(), "a", func(e *publish.Endpoint) error {
			e.URL = "https://b/"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r.net.at("b", accepts(t, rotated.Secrets[0].Secret))
		n := len(r.net.to("a"))
		advance(2 * time.Hour)
		if got := len(r.net.to("a")); got != n {
			t.Errorf("the old URL has received %d more requests", got-n)
		}
		if got := r.states("a"); got[webhook.Done] != 5 {
			t.Errorf("deliveries %v, want 5 done with the new secret at the new URL", got)
		}
	})
}

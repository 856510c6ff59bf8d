package webhook_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestStandardWebhooksHeaderPrefix(t *testing.T) {
	v := standardVectors(t)[0]
	for prefix, names := range map[string][3]string{
		"":                {"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		"webhook-":        {"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		"svix-":           {"Svix-Id", "Svix-Timestamp", "Svix-Signature"},
		"X-Acme-WEBHOOK-": {"X-Acme-Webhook-Id", "X-Acme-Webhook-Timestamp", "X-Acme-Webhook-Signature"},
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Unix(v.Timestamp, 0)))
			s := standardOf(v.Secret)
			s.HeaderPrefix = prefix
			verifierValidate(t, s)
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set(names[0], v.ID)
			if err := s.Sign(r, []byte(v.Payload)); err != nil {
				t.Fatal(err)
			}
			if r.Header.Get(names[1]) == "" || r.Header.Get(names[2]) != v.Signature || len(r.Header) != 3 {
				t.Errorf("HeaderPrefix %q: signed with %v", prefix, r.Header)
			}
			if p, err := s.Verify(r, []byte(v.Payload)); err != nil || p.ID != v.ID {
				t.Errorf("HeaderPrefix %q: %v, %v", prefix, p, err)
			}
			other := standardOf(v.Secret)
			other.HeaderPrefix = "other-"
			verifierValidate(t, other)
			if err := other.Admit(r); !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), "no Other-Id header") {
				t.Errorf("HeaderPrefix %q: another prefix: %v", prefix, err)
			}
			r.Header.Set(names[1], "1")
			if err := s.Admit(r); !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), names[1]) {
				t.Errorf("HeaderPrefix %q: another time: %v does not name %s", prefix, err, names[1])
			}
		})
	}
}

func TestStandardWebhooksDoesNotSignWhatItRefuses(t *testing.T) {
	r := verifierRequest()
	r.Header.Set("Webhook-Id", "msg.1")
	if err := standardOf(verifierWhsec).Sign(r, nil); err == nil || !strings.Contains(err.Error(), `Webhook-Id "msg.1" contains a dot`) {
		t.Errorf("Sign = %v", err)
	}
}

func TestStandardWebhooksRefusesFieldsThatDoNotFit(t *testing.T) {
	for fault, change := range map[string]func(*webhook.StandardWebhooks){
		`HeaderPrefix "svix" is not the beginning`:        func(s *webhook.StandardWebhooks) { s.HeaderPrefix = "svix" },
		`HeaderPrefix "svix -" is not the beginning`:      func(s *webhook.StandardWebhooks) { s.HeaderPrefix = "svix -" },
		`the Tolerance of -1s is negative`:                func(s *webhook.StandardWebhooks) { s.Tolerance = -time.Second },
		`the Tolerance of 300ns is shorter than a second`: func(s *webhook.StandardWebhooks) { s.Tolerance = 300 },
		`only one of Keys, KeysFunc and KeysFor can be set`: func(s *webhook.StandardWebhooks) {
			s.KeysFunc = func() []webhook.Key { return s.Keys }
		},
	} {
		s := standardOf(verifierWhsec)
		change(s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), "webhook: StandardWebhooks: ") || !strings.Contains(err.Error(), fault) {
			t.Errorf("Validate = %v, want %s", err, fault)
		}
	}
}

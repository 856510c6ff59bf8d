package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

type standardVector struct {
	Secret, ID, Payload, Signature string
	Timestamp                      int64
}

func (v standardVector) request() *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Webhook-Id", v.ID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(v.Timestamp, 10))
	r.Header.Set("Webhook-Signature", v.Signature)
	return r
}

func standardVectors(t testing.TB) []standardVector {
	t.Helper()
	text, err := os.ReadFile("testdata/standardwebhooks.json")
	var all []standardVector
	for err == nil && text != nil {
		var vectors []standardVector
		if err = json.Unmarshal(text, &vectors); err == nil && len(vectors) == 0 {
			err = errors.New("no vectors")
		}
		all = append(all, vectors...)
		text = nil
		if shared, ok := sharedFixture(t, "standardwebhooks/vectors.json"); ok && len(all) == len(vectors) {
			text = shared
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func standardOf(secrets ...string) *webhook.StandardWebhooks {
	var keys []webhook.Secret
	for _, s := range secrets {
		keys = append(keys, webhook.NewSecret(s))
	}
	return &webhook.StandardWebhooks{Keys: webhook.Keys(keys...)}
}

func TestStandardWebhooksVectors(t *testing.T) {
	for _, v := range standardVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// The fake clock of synctest starts in the year 2000.
				time.Sleep(time.Until(time.Unix(v.Timestamp, 0)))
				s := standardOf(v.Secret)
				verifierValidate(t, s)
				mac, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(v.Signature, "v1,"))
				proof, err := s.Verify(v.request(), []byte(v.Payload))
				want := webhook.Proof{KeyLabel: "1", ID: v.ID, Signature: mac}
				if diff := cmp.Diff(want, proof); err != nil || diff != "" {
					t.Fatalf("Verify: %v %s", err, diff)
				}
				bare := standardOf(strings.TrimPrefix(v.Secret, "whsec_"))
				verifierValidate(t, bare)
				if _, err := bare.Verify(v.request(), []byte(v.Payload)); err != nil {
					t.Errorf("without whsec_: %v", err)
				}
				signed := httptest.NewRequest("POST", "/", nil)
				signed.Header.Set("Webhook-Id", v.ID)
				if err := s.Sign(signed, []byte(v.Payload)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(v.request().Header, signed.Header); diff != "" {
					t.Errorf("Sign (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestStandardWebhooksTolerance(t *testing.T) {
	v := standardVectors(t)[0]
	for _, tolerance := range []time.Duration{0, time.Minute, time.Second} {
		allowed := tolerance
		if allowed == 0 {
			allowed = 5 * time.Minute
		}
		for _, tt := range []struct {
			age  time.Duration
			want bool
		}{
			{0, true},
			{allowed - time.Second, true},
			{allowed, true},
			{allowed + time.Second - 1, true}, // whole seconds count
			{allowed + time.Second, false},
			{-allowed, true},
			{-allowed - 1, false},
			{-allowed - time.Second, false},
			{100 * allowed, false},
			{-100 * allowed, false},
		} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(v.Timestamp, 0).Add(tt.age)))
				s := standardOf(v.Secret)
				s.Tolerance = tolerance
				verifierValidate(t, s)
				_, err := s.Verify(v.request(), []byte(v.Payload))
				if (err == nil) != tt.want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
					t.Errorf("tolerance %v, age %v: %v, want accepted: %v", allowed, tt.age, err, tt.want)
				}
				if (s.Admit(v.request()) == nil) != tt.want {
					t.Errorf("tolerance %v, age %v: Admit disagrees", allowed, tt.age)
				}
			})
		}
	}
}

func TestStandardWebhooksHeaders(t *testing.T) {
	v := standardVectors(t)[0]
	mac := strings.TrimPrefix(v.Signature, "v1,")
	zero32 := base64.StdEncoding.EncodeToString(make([]byte, 32))
	zero64 := base64.StdEncoding.EncodeToString(make([]byte, 64))
	sig := func(text string) func(http.Header) {
		return func(h http.Header) { h.Set("Webhook-Signature", text) }
	}
	set := func(name string, values ...string) func(http.Header) {
		return func(h http.Header) { h[name] = values }
	}
	tests := []struct {
		name   string
		change func(http.Header)
		want   bool
	}{
		{"as sent", func(http.Header) {}, true},
		{"a list with the right one last", sig("v1," + zero32 + " " + v.Signature), true},
		{"a list with the right one first", sig(v.Signature + " v1," + zero32), true},
		{"an unknown version before", sig("v2,abc " + v.Signature), true},
		{"an asymmetric one before", sig("v1a," + zero64 + " " + v.Signature), true},
		{"broken items before", sig("v1 v1,*** , v1, v1," + mac[:20] + " " + v.Signature), true},
		{"spaces around", sig("  " + v.Signature + "  "), true},
		{"the right one at place 16", sig(strings.Repeat("v1,"+zero32+" ", 15) + v.Signature), true},
		{"the right one at place 17", sig(strings.Repeat("v1,"+zero32+" ", 16) + v.Signature), false},
		{"only an unknown version", sig("v2," + mac), false},
		{"no version", sig(mac), false},
		{"another version's name for it", sig("v1a," + mac), false},
		{"a version in upper case", sig("V1," + mac), false},
		{"another signature", sig("v1," + zero32), false},
		{"a shorter signature", sig("v1," + base64.StdEncoding.EncodeToString(make([]byte, 31))), false},
		{"an empty signature", sig("v1,"), false},
		{"an empty header", sig(""), false},
		{"without padding", sig("v1," + strings.TrimRight(mac, "=")), false},
		{"with a bit set in the padding", sig("v1," + strings.Replace(mac, "OE=", "OF=", 1)), false},
		{"no signature header", set("Webhook-Signature"), false},
		{"two signature headers", set("Webhook-Signature", v.Signature, v.Signature), false},
		{"no id", set("Webhook-Id"), false},
		{"an empty id", set("Webhook-Id", ""), false},
		{"two ids", set("Webhook-Id", v.ID, v.ID), false},
		{"another id", set("Webhook-Id", v.ID+"x"), false},
		{"an id with a dot", set("Webhook-Id", v.ID+".1"), false},
		{"no timestamp", set("Webhook-Timestamp"), false},
		{"an empty timestamp", set("Webhook-Timestamp", ""), false},
		{"two timestamps", set("Webhook-Timestamp", "1614265330", "1614265330"), false},
		{"another timestamp", set("Webhook-Timestamp", "1614265331"), false},
		{"a timestamp with a sign", set("Webhook-Timestamp", "+1614265330"), false},
		{"a timestamp with a zero in front", set("Webhook-Timestamp", "01614265330"), false},
		{"a timestamp with a fraction", set("Webhook-Timestamp", "1614265330.0"), false},
		{"a timestamp in milliseconds", set("Webhook-Timestamp", "1614265330000"), false},
		{"the smallest timestamp", set("Webhook-Timestamp", "-9223372036854775808"), false},
		{"the largest timestamp", set("Webhook-Timestamp", "9223372036854775807"), false},
		{"a timestamp beyond 64 bits", set("Webhook-Timestamp", "99999999999999999999"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(v.Timestamp, 0)))
				s := standardOf(v.Secret)
				verifierValidate(t, s)
				r := v.request()
				tt.change(r.Header)
				_, err := s.Verify(r, []byte(v.Payload))
				if (err == nil) != tt.want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
					t.Errorf("Verify = %v, want accepted: %v", err, tt.want)
				}
			})
		})
	}
}

func TestStandardWebhooksAsymmetric(t *testing.T) {
	seed := sha256Seed("a")
	private := ed25519.NewKeyFromSeed(seed)
	b64 := base64.StdEncoding.EncodeToString
	whpk := "whpk_" + b64(private.Public().(ed25519.PublicKey))
	signers := map[string]*webhook.StandardWebhooks{
		"a seed":     standardOf("whsk_" + b64(seed)),
		"a full key": standardOf("whsk_" + b64(private)),
	}
	for name, signer := range signers {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			if err := signer.Sign(r, []byte("body")); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(r.Header.Get("Webhook-Signature"), "v1a,") || !strings.HasPrefix(r.Header.Get("Webhook-Id"), "msg_") {
				t.Errorf("signed with %v", r.Header)
			}
			// The signed text of the specification, checked without our code.
			text := fmt.Sprintf("%s.%s.body", r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"))
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1a,"))
			if !ed25519.Verify(private.Public().(ed25519.PublicKey), []byte(text), raw) {
				t.Error("the signature is not over id.timestamp.body")
			}
			both := standardOf(verifierWhsec, whpk)
			verifierValidate(t, both)
			proof, err := both.Verify(r, []byte("body"))
			want := webhook.Proof{KeyLabel: "2", ID: r.Header.Get("Webhook-Id")}
			if diff := cmp.Diff(want, proof); err != nil || diff != "" {
				t.Errorf("Verify: %v %s", err, diff)
			}
			if _, err := both.Verify(r, []byte("Body")); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("another body: %v, want ErrUnverified", err)
			}
			other := standardOf("whpk_" + b64(ed25519.NewKeyFromSeed(sha256Seed("b")).Public().(ed25519.PublicKey)))
			verifierValidate(t, other)
			if _, err := other.Verify(r, []byte("body")); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("another key: %v, want ErrUnverified", err)
			}
		})
	}
	if err := standardOf(whpk).Sign(httptest.NewRequest("POST", "/", nil), nil); err == nil {
		t.Error("a public key signs")
	}
}

// sha256Seed returns 32 reproducible bytes.
func sha256Seed(text string) []byte { return []byte(strings.Repeat(text, ed25519.SeedSize)) }

func TestStandardWebhooksKeepsTheIDOfARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardOf(verifierWhsec)
		r := httptest.NewRequest("POST", "/", nil)
		if err := s.Sign(r, nil); err != nil {
			t.Fatal(err)
		}
		first := r.Header.Clone()
		time.Sleep(time.Hour)
		if err := s.Sign(r, nil); err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("Webhook-Id") != first.Get("Webhook-Id") {
			t.Error("a retry got another id")
		}
		if r.Header.Get("Webhook-Timestamp") == first.Get("Webhook-Timestamp") {
			t.Error("a retry kept the old timestamp")
		}
		verifierValidate(t, s)
		if _, err := s.Verify(r, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestStandardWebhooksRotation(t *testing.T) {
	broken := webhook.Key{Label: "broken", Secret: webhook.NewSecret("***")}
	old := webhook.Key{Label: "old", Secret: webhook.NewSecret(verifierWhsec)}
	next := webhook.Key{Label: "next", Secret: webhook.NewSecret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")}
	live := []webhook.Key{old}
	s := &webhook.StandardWebhooks{KeysFunc: func() []webhook.Key { return live }}
	verifierValidate(t, s)
	r := httptest.NewRequest("POST", "/", nil)
	if err := s.Sign(r, nil); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		live []webhook.Key
		want string
	}{
		{[]webhook.Key{old}, "old"},
		{[]webhook.Key{next, old}, "old"},
		{[]webhook.Key{broken, {}, old}, "old"},
		{[]webhook.Key{next}, ""},
		{nil, ""},
	} {
		live = step.live
		proof, err := s.Verify(r, nil)
		if proof.KeyLabel != step.want || (err == nil) != (step.want != "") {
			t.Errorf("with %v: %v, %v, want label %q", step.live, proof, err, step.want)
		}
	}
}

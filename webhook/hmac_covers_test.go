package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// verifierOfMore returns an HMAC of all that can be signed.
func verifierOfMore(keys []webhook.Key) *webhook.HMAC {
	return &webhook.HMAC{
		Header:          "X-Sig",
		Signed:          "v0:{id}:{timestamp}:{url}{body}",
		TimestampHeader: "X-Time",
		IDHeader:        "X-Id",
		URL:             "https://example.com/hooks",
		Keys:            keys,
	}
}

// What the signature covers cannot be altered, and each header must be there once.
func TestHMACCoversBodyTimeIDAndURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := webhook.Keys(webhook.NewSecret("k"))
		m := verifierOfMore(key)
		verifierValidate(t, m)
		r := verifierRequest()
		r.Header.Set("X-Id", "evt_1")
		if err := m.Sign(r, []byte("body")); err != nil {
			t.Fatal(err)
		}
		signature, now := r.Header.Get("X-Sig"), r.Header.Get("X-Time")
		if now != "946684800" || r.Header.Get("X-Id") != "evt_1" {
			t.Fatalf("signed with %v", r.Header)
		}
		set := func(name string, values ...string) func(http.Header) {
			return func(h http.Header) { h[name] = values }
		}
		for _, tt := range []struct {
			name   string
			change func(http.Header)
			body   string
			reason string // empty: accepted
		}{
			{"as signed", func(http.Header) {}, "body", ""},
			{"another body", func(http.Header) {}, "Body", "matches no live key"},
			{"another time", set("X-Time", "946684801"), "body", "it covers the timestamp, the ID, the URL and the body"},
			{"another id", set("X-Id", "evt_2"), "body", "matches no live key"},
			{"an id with the literal", set("X-Id", "evt:1"), "body", `X-Id contains ":"`},
			{"no signature", set("X-Sig"), "body", "no X-Sig header"},
			{"two signatures", set("X-Sig", signature, signature), "body", "2 X-Sig headers"},
			{"no time", set("X-Time"), "body", "no X-Time header"},
			{"two times", set("X-Time", now, now), "body", "2 X-Time headers"},
			{"no id", set("X-Id"), "body", "no X-Id header"},
			{"an empty id", set("X-Id", ""), "body", "X-Id is empty"},
			{"two ids", set("X-Id", "evt_1", "evt_1"), "body", "2 X-Id headers"},
			{"an empty time", set("X-Time", ""), "body", "X-Time"},
			{"a time with a sign", set("X-Time", "+946684800"), "body", `X-Time "+946684800" is not Unix seconds in plain decimal digits`},
			{"a time with a zero in front", set("X-Time", "0946684800"), "body", "which has 9 digits"},
			{"a time with a space", set("X-Time", " 946684800"), "body", "plain decimal digits"},
			{"a time with a fraction", set("X-Time", "946684800.0"), "body", "plain decimal digits"},
			{"a time in wide digits", set("X-Time", "９４６６８４８００"), "body", "plain decimal digits"},
			{"a time in milliseconds", set("X-Time", "946684800000"), "body", "which has 9 digits"},
			{"a time of many digits", set("X-Time", strings.Repeat("9", 1000)), "body", "which has 9 digits"},
		} {
			other := r.Clone(t.Context())
			tt.change(other.Header)
			proof, err := m.Verify(other, []byte(tt.body))
			if tt.reason == "" {
				if err != nil || proof.ID != "evt_1" || len(proof.Signature) != 32 {
					t.Errorf("%s: %v, %v", tt.name, proof, err)
				}
				continue
			}
			if !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), tt.reason) || len(err.Error()) > 300 {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.reason)
			}
		}

		moved := verifierOfMore(key)
		moved.URL = "https://example.com/other"
		verifierValidate(t, moved)
		if _, err := moved.Verify(r, []byte("body")); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("another URL: %v, want ErrUnverified", err)
		}
	})
}

func TestHMACTolerance(t *testing.T) {
	for _, tolerance := range []time.Duration{0, time.Second, time.Hour} {
		allowed := tolerance
		if allowed == 0 {
			allowed = 5 * time.Minute
		}
		for _, tt := range []struct {
			age  time.Duration
			want string // in the reason; empty: accepted
		}{
			{0, ""},
			{allowed, ""},
			{allowed + time.Second - 1, ""}, // whole seconds count
			{allowed + time.Second, "X-Time is " + (allowed + time.Second).String() + " ago, allowed are " + allowed.String()},
			{-allowed, ""},
			{-allowed - time.Second, "X-Time is " + (allowed + time.Second).String() + " in the future, allowed are " + allowed.String()},
			{100 * allowed, "ago"},
			{-100 * allowed, "in the future"},
		} {
			m := ofTemplate("{timestamp}{body}")
			m.Tolerance = tolerance
			verifierValidate(t, m)
			r := verifierRequest()
			atOffset(t, max(0, -tt.age), func() {
				if err := m.Sign(r, nil); err != nil {
					t.Fatal(err)
				}
			})
			atOffset(t, max(0, tt.age), func() {
				_, err := m.Verify(r, nil)
				if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("tolerance %v, age %v: %v, want %q", allowed, tt.age, err, tt.want)
				}
				if (m.Admit(r) == nil) != (err == nil) {
					t.Errorf("tolerance %v, age %v: Admit disagrees", allowed, tt.age)
				}
			})
		}
	}
}

// atOffset calls f in a bubble of its own whose clock is d after a fixed time.
func atOffset(t *testing.T, d time.Duration, f func()) {
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Hour + d) // the clock of synctest starts in the year 2000
		f()
	})
}

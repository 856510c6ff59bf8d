package webhook_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestHMACItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ofTemplate("{timestamp}.{body}")
		m.TimestampHeader, m.Items = "", webhook.Items{Time: "t", Signature: "v1"}
		verifierValidate(t, m)
		r := verifierRequest()
		if err := m.Sign(r, []byte("body")); err != nil {
			t.Fatal(err)
		}
		time0, right, _ := strings.Cut(r.Header.Get("X-Sig"), ",v1=")
		if time0 != "t=946684800" || len(right) != 64 {
			t.Fatalf("signed with %v", r.Header)
		}
		wrong := strings.Repeat("0", 64)
		for _, tt := range []struct {
			name, header string
			reason       string // empty: accepted
		}{
			{"as signed", "t=946684800,v1=" + right, ""},
			{"the time last", "v1=" + right + ",t=946684800", ""},
			{"a second one that is right", "t=946684800,v1=" + wrong + ",v1=" + right, ""},
			{"a second one that is wrong", "t=946684800,v1=" + right + ",v1=" + wrong, ""},
			{"a malformed one before", "t=946684800,v1=abc,v1=" + right, ""},
			{"white space", "t=946684800, v1=" + right, ""},
			{"other items", "t=946684800,v2=x,,y,v1=" + right + ",v0=" + wrong, ""},
			{"the sixteenth", "t=946684800" + strings.Repeat(",v1="+wrong, 15) + ",v1=" + right, ""},
			{"the seventeenth", "t=946684800" + strings.Repeat(",v1="+wrong, 16) + ",v1=" + right, "17 items v1, more than 16"},
			{"many items", "t=946684800,v1=" + right + strings.Repeat(",a=b", 31), "more than 32 items"},
			{"only v0", "t=946684800,v0=" + right, "no item v1"},
			{"in upper case", "T=946684800,V1=" + right, "no item v1"},
			{"v0 right and v1 wrong", "t=946684800,v0=" + right + ",v1=" + wrong, "matches no live key"},
			{"no time", "v1=" + right, "0 items t, not one"},
			{"two times", "t=946684800,t=946684800,v1=" + right, "2 items t, not one"},
			{"two times, the second empty", "t=946684800,t=,v1=" + right, "2 items t, not one"},
			{"another time", "t=946684801,v1=" + right, "matches no live key"},
			{"an old time", "t=946683800,v1=" + right, "t is 16m40s ago"},
			{"a time that is no number", "t=now,v1=" + right, `t "now" is not Unix seconds`},
			{"only malformed ones", "t=946684800,v1=abc,v1=", "not a digest of 32 bytes"},
			{"the digest alone", right, "no item v1"},
			{"empty", "", "no item v1"},
			{"another separator", "t=946684800;v1=" + right, "no item v1"},
		} {
			r.Header.Set("X-Sig", tt.header)
			proof, err := m.Verify(r, []byte("body"))
			if tt.reason == "" && (err != nil || hex.EncodeToString(proof.Signature) != right) {
				t.Errorf("%s: %v, %v", tt.name, proof, err)
			}
			if tt.reason != "" && (!errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), tt.reason)) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.reason)
			}
		}
		r.Header["X-Sig"] = []string{"t=946684800,v1=" + right, "t=946684800,v1=" + right}
		if _, err := m.Verify(r, []byte("body")); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("two headers: %v, want ErrUnverified", err)
		}
	})
}

func TestHMACItemsOfOtherShapes(t *testing.T) {
	for name, items := range map[string]webhook.Items{
		"another separator": {Time: "ts", Signature: "h1", Separator: ";"},
		"no time":           {Signature: "v1"},
	} {
		m := ofTemplate("{timestamp}:{body}")
		m.Items, m.Encoding, m.Prefix = items, webhook.Base64, "sha256="
		if items.Time != "" {
			m.TimestampHeader = ""
		}
		verifierValidate(t, m)
		r := verifierRequest()
		if err := m.Sign(r, []byte("body")); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Verify(r, []byte("body")); err != nil {
			t.Errorf("%s: %v with %v", name, err, r.Header)
		}
		if _, err := m.Verify(r, []byte("Body")); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s: another body: %v, want ErrUnverified", name, err)
		}
	}
}

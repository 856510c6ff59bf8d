package webhook_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestBasicAuth(t *testing.T) {
	keys := webhook.Keys(webhook.NewSecret("pass:word"), webhook.NewSecret("second"))
	anyone := &webhook.BasicAuth{Keys: keys}
	kudu := &webhook.BasicAuth{User: "kudu", Keys: keys}
	verifierValidate(t, anyone)
	verifierValidate(t, kudu)
	basic := func(user, password string) []string {
		r := httptest.NewRequest("POST", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header["Authorization"]
	}
	tests := []struct {
		name   string
		v      *webhook.BasicAuth
		values []string
		label  string // if empty, refused
	}{
		{"the first password", anyone, basic("who", "pass:word"), "1"},
		{"the second password", anyone, basic("", "second"), "2"},
		{"the right user", kudu, basic("kudu", "second"), "2"},
		{"a wrong user", kudu, basic("kuduu", "second"), ""},
		{"no user", kudu, basic("", "second"), ""},
		{"a wrong password", anyone, basic("who", "third"), ""},
		{"no password", anyone, basic("who", ""), ""},
		{"no credentials", anyone, nil, ""},
		{"twice", anyone, append(basic("a", "second"), basic("a", "second")...), ""},
		{"another scheme", anyone, []string{"Bearer second"}, ""},
		{"not base64", anyone, []string{"Basic ***"}, ""},
		{"without a colon", anyone, []string{"Basic c2Vjb25k"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header["Authorization"] = tt.values
			proof, err := tt.v.Verify(r, nil)
			if proof.KeyLabel != tt.label || (err == nil) != (tt.label != "") {
				t.Errorf("Verify = %v, %v, want label %q", proof, err, tt.label)
			}
			if err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("%v, want ErrUnverified", err)
			}
			if (tt.v.Admit(r) == nil) != (err == nil) {
				t.Error("Admit and Verify disagree")
			}
		})
	}
}

// A sender that answers the challenge is not logged as a warning. One that never does
// loses its deliveries, and that must be logged.
func TestUnansweredChallengeIsLoggedAsAWarning(t *testing.T) {
	v := &webhook.BasicAuth{Keys: webhook.Keys(webhook.NewSecret("k"))}
	rc := webhook.NewReceiver(webhook.Source{Name: "kudu", Verifier: v}, recvOK)
	var out bytes.Buffer
	rc.Logger = slog.New(slog.NewTextHandler(&out, nil))
	for n, step := range []struct {
		signed bool
		want   string
	}{
		{false, "level=INFO"}, {true, ""}, {false, "level=INFO"}, {false, "level=INFO"}, {true, ""}, {true, ""},
		{false, "level=INFO"}, {false, "level=INFO"}, {false, "level=WARN"}, {false, "level=WARN"}, {true, ""}, {false, "level=INFO"},
	} {
		out.Reset()
		r := httptest.NewRequest("POST", "/", nil)
		if step.signed {
			if err := v.Sign(r, nil); err != nil {
				t.Fatal(err)
			}
		}
		rc.ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(out.String(), step.want) || step.signed && out.Len() > 0 {
			t.Errorf("call %d is logged as %q, want %q", n, &out, step.want)
		}
	}
}

// Kudu's client sends credentials only after a challenge.
func TestBasicAuthChallengesARequestWithoutCredentials(t *testing.T) {
	for realm, want := range map[string]string{
		"":           `Basic realm="webhook"`,
		"kudu":       `Basic realm="kudu"`,
		"a \"b\" \n": `Basic realm="a \"b\" \n"`,
	} {
		for name, wrap := range map[string]func(webhook.Verifier) webhook.Verifier{
			"alone":        func(v webhook.Verifier) webhook.Verifier { return v },
			"inside AnyOf": func(v webhook.Verifier) webhook.Verifier { return webhook.NewAnyOf(v) },
			"inside AllOf": func(v webhook.Verifier) webhook.Verifier {
				return webhook.NewAllOf(&webhook.InsecureAcceptAll{}, v)
			},
		} {
			v := &webhook.BasicAuth{Realm: realm, Keys: webhook.Keys(webhook.NewSecret("k"))}
			rc := webhook.NewReceiver(webhook.Source{Name: "kudu", Verifier: wrap(v)}, recvOK)
			rc.Logger, _ = recvLogger()
			w := httptest.NewRecorder()
			rc.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != want {
				t.Errorf("%s: answer %d with challenge %q, want 401 with %q", name, w.Code, w.Header().Get("WWW-Authenticate"), want)
			}
			r := httptest.NewRequest("POST", "/", nil)
			if err := v.Sign(r, nil); err != nil {
				t.Fatal(err)
			}
			w = httptest.NewRecorder()
			rc.ServeHTTP(w, r)
			if w.Code != http.StatusAccepted {
				t.Errorf("%s: answer %d to the right password", name, w.Code)
			}
		}
	}
}

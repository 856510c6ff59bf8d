package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A tenantTable has keys by the path value "tenant". Its keysFor is a KeysFor.
type tenantTable struct {
	asked int
	keys  map[string][]webhook.Key
	err   error
}

func (t *tenantTable) keysFor(r *http.Request) ([]webhook.Key, error) {
	t.asked++
	return t.keys[r.PathValue("tenant")], t.err
}

// A tenantKind is a verifier with KeysFor, and two secrets that it takes.
type tenantKind struct {
	v    webhook.Verifier
	a, b webhook.Secret
}

func tenantKinds(f func(*http.Request) ([]webhook.Key, error)) map[string]tenantKind {
	a, b := webhook.NewSecret("a"), webhook.NewSecret("b")
	other := &webhook.HMAC{Header: "X-Other", KeysFunc: func() []webhook.Key { return webhook.Keys(webhook.NewSecret("other")) }}
	return map[string]tenantKind{
		"HMAC":             {&webhook.HMAC{Header: "X-Sig", KeysFor: f}, a, b},
		"HMAC of more":     {&webhook.HMAC{Header: "X-Sig", Signed: "{timestamp}{body}", TimestampHeader: "X-Time", KeysFor: f}, a, b},
		"Token":            {&webhook.Token{Header: "X-Token", KeysFor: f}, a, b},
		"Token in a query": {&webhook.Token{Query: "token", KeysFor: f}, a, b},
		"BasicAuth":        {&webhook.BasicAuth{KeysFor: f}, a, b},
		"StandardWebhooks": {&webhook.StandardWebhooks{KeysFor: f}, webhook.NewSecret("whsec_YQ=="), webhook.NewSecret("whsec_Yg==")},
		"Ed25519":          {&webhook.Ed25519{Header: "X-Sig", KeysFor: f}, ed25519Private(1), ed25519Private(2)},
		"Twilio":           {&webhook.Twilio{URL: "https://example.com/hook", KeysFor: f}, a, b},
		"AnyOf":            {webhook.NewAnyOf(&webhook.HMAC{Header: "X-Sig", KeysFor: f}, other), a, b},
		"AllOf":            {webhook.NewAllOf(&webhook.HMAC{Header: "X-Sig", KeysFor: f}), a, b},
	}
}

// A tenantRig is a Receiver at /hooks/{tenant}.
type tenantRig struct {
	table *tenantTable
	v     webhook.Verifier
	mux   *http.ServeMux
	label string // KeyLabel of the last delivery
}

func newTenantRig(name string) *tenantRig {
	g := &tenantRig{table: &tenantTable{}, mux: http.NewServeMux()}
	kind := tenantKinds(g.table.keysFor)[name]
	g.v = kind.v
	g.table.keys = map[string][]webhook.Key{
		"a": {{Label: "acme", Secret: kind.a}}, "b": {{Label: "bolt", Secret: kind.b}}, "empty": {{}},
	}
	rc := webhook.NewReceiver(webhook.Source{Name: "shop", Verifier: g.v}, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		g.label = d.KeyLabel
		return nil
	}))
	rc.Logger, _ = recvLogger()
	g.mux.Handle("/hooks/{tenant}", rc)
	return g
}

// send sends a request that is signed for one tenant to the path of another. The table
// fails with the failure when the request arrives.
func (g *tenantRig) send(t *testing.T, signedFor, sentTo string, failure error) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/hooks/"+sentTo, strings.NewReader("{}"))
	if signedFor != "" {
		r.SetPathValue("tenant", signedFor)
		if err := g.v.(webhook.Signer).Sign(r, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	g.table.asked, g.table.err, g.label = 0, failure, ""
	w := httptest.NewRecorder()
	g.mux.ServeHTTP(w, r)
	g.table.err = nil
	return w
}

func TestKeysForReturnsTheKeysOfATenant(t *testing.T) {
	for name := range tenantKinds(nil) {
		t.Run(name, func(t *testing.T) {
			g := newTenantRig(name)
			if g.table.asked != 0 {
				t.Errorf("KeysFor was called %d times before a request", g.table.asked)
			}
			for _, tt := range []struct {
				signedFor, sentTo string
				failure           error
				status            int
				label, retryAfter string
			}{
				{"a", "a", nil, 202, "acme", ""},
				{"b", "b", nil, 202, "bolt", ""},
				{"a", "b", nil, 401, "", ""},
				{"a", "nobody", nil, 401, "", ""},
				{"a", "empty", nil, 401, "", ""},
				{"a", "a", errors.New("the table is away"), 503, "", "5"},
				{"a", "a", webhook.ErrMalformed, 503, "", "5"},
				{"a", "a", webhook.ErrUnverified, 503, "", "5"},
				{"a", "a", webhook.RetryAfter(90*time.Second, webhook.ErrIgnored), 503, "", "90"},
			} {
				w := g.send(t, tt.signedFor, tt.sentTo, tt.failure)
				if w.Code != tt.status || g.label != tt.label || w.Header().Get("Retry-After") != tt.retryAfter {
					t.Errorf("signed for %s, sent to %s, %v: %d, %q and Retry-After %q, want %d, %q and %q",
						tt.signedFor, tt.sentTo, tt.failure, w.Code, g.label, w.Header().Get("Retry-After"), tt.status, tt.label, tt.retryAfter)
				}
				if g.table.asked != 1 {
					t.Errorf("signed for %s, sent to %s, %v: KeysFor was called %d times, want once", tt.signedFor, tt.sentTo, tt.failure, g.table.asked)
				}
			}
			if w := g.send(t, "", "a", nil); w.Code != 401 || g.table.asked != 0 {
				t.Errorf("without a proof: %d, KeysFor was called %d times, want 401 and never", w.Code, g.table.asked)
			}
		})
	}
}

// Open asks once too, and a signature that is malformed or old asks nothing.
func TestKeysForIsAskedOnceByOpen(t *testing.T) {
	for name := range tenantKinds(nil) {
		g := newTenantRig(name)
		r := httptest.NewRequest("POST", "/", nil)
		r.SetPathValue("tenant", "a")
		if err := g.v.(webhook.Signer).Sign(r, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		g.table.asked = 0
		src := webhook.Source{Name: "shop", Verifier: g.v}
		if _, err := src.Open(r, []byte("{}")); err != nil || g.table.asked != 1 {
			t.Errorf("%s: Open = %v, KeysFor was called %d times", name, err, g.table.asked)
		}
		r.SetPathValue("tenant", "empty")
		if _, err := src.Open(r, []byte("{}")); !errors.Is(err, webhook.ErrUnverified) || !strings.Contains(err.Error(), "KeysFor returned no keys for this request") {
			t.Errorf("%s: Open with an empty key = %v", name, err)
		}
		g.table.err = errors.New("the table is away")
		if _, err := src.Open(r, []byte("{}")); !errors.Is(err, webhook.ErrOverloaded) {
			t.Errorf("%s: Open = %v, want ErrOverloaded", name, err)
		}
	}
}

func TestOnlyOneFieldHasKeys(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret(verifierWhsec))
	live := func() []webhook.Key { return key }
	each := func(*http.Request) ([]webhook.Key, error) { return key, nil }
	for _, tt := range []struct {
		keys []webhook.Key
		live func() []webhook.Key
		each func(*http.Request) ([]webhook.Key, error)
	}{
		{key, live, nil}, {key, nil, each}, {nil, live, each}, {key, live, each},
	} {
		for _, v := range []interface{ Validate() error }{
			&webhook.HMAC{Header: "X-Sig", Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
			&webhook.Token{Query: "token", Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
			&webhook.BasicAuth{Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
			&webhook.StandardWebhooks{Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
			&webhook.Ed25519{Header: "X-Sig", Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
			&webhook.Twilio{URL: twilioURL, Keys: tt.keys, KeysFunc: tt.live, KeysFor: tt.each},
		} {
			if err := v.Validate(); err == nil || !strings.Contains(err.Error(), "only one of Keys, KeysFunc and KeysFor can be set") {
				t.Errorf("%T: Validate = %v", v, err)
			}
		}
	}
}

// A proxy copies the URL into a header. The header is left out only if the token in the
// URL is that of the tenant.
func TestKeysForDecidesWhichTokenOfTheURLIsSecret(t *testing.T) {
	table := &tenantTable{keys: map[string][]webhook.Key{"a": webhook.Keys(webhook.NewSecret("t0ken"))}}
	src := webhook.Source{Name: "shop", Verifier: webhook.NewAnyOf(
		&webhook.Token{Query: "token", KeysFor: table.keysFor},
		&webhook.InsecureAcceptAll{},
	)}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	for token, stored := range map[string]bool{"t0ken": false, "wrong": true} {
		r := httptest.NewRequest("POST", "/?token="+token, nil)
		r.SetPathValue("tenant", "a")
		r.Header.Set("X-Original-Url", "/?token="+token)
		d, err := src.Open(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Header.Get("X-Original-Url") != ""; got != stored {
			t.Errorf("token %s: the header is stored: %t, want %t", token, got, stored)
		}
	}
}

// A KeysFor may itself verify the request, such as the token of a gateway.
func TestKeysForMayAskAnotherVerifier(t *testing.T) {
	table := &tenantTable{keys: map[string][]webhook.Key{"a": webhook.Keys(webhook.NewSecret("k"))}}
	gateway := &webhook.Token{Header: "X-Token", KeysFor: table.keysFor}
	v := &webhook.HMAC{Header: "X-Sig", KeysFor: func(r *http.Request) ([]webhook.Key, error) {
		if err := gateway.Admit(r); err != nil {
			return nil, err
		}
		return table.keysFor(r)
	}}
	verifierValidate(t, gateway)
	src := webhook.Source{Name: "shop", Verifier: v}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.SetPathValue("tenant", "a")
	for _, s := range []webhook.Signer{gateway, v} {
		if err := s.Sign(r, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := src.Open(r, []byte("{}")); err != nil {
		t.Error(err)
	}
}

package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestToken(t *testing.T) {
	keys := webhook.Keys(webhook.NewSecret("first"), webhook.NewSecret("sec ond/%"))
	path := &webhook.Token{PathValue: "token", Keys: keys}
	query := &webhook.Token{Query: "token", Keys: keys}
	header := &webhook.Token{Header: "x-token", Prefix: "Bearer ", Keys: keys}
	with := func(f func(r *http.Request)) *http.Request {
		r := httptest.NewRequest("POST", "/hooks", nil)
		f(r)
		return r
	}
	pathValue := func(v string) *http.Request { return with(func(r *http.Request) { r.SetPathValue("token", v) }) }
	rawQuery := func(v string) *http.Request { return with(func(r *http.Request) { r.URL.RawQuery = v }) }
	headers := func(v ...string) *http.Request { return with(func(r *http.Request) { r.Header["X-Token"] = v }) }

	tests := []struct {
		name  string
		v     *webhook.Token
		r     *http.Request
		label string // if empty, refused
	}{
		{"the first key in the path", path, pathValue("first"), "1"},
		{"the second key in the path", path, pathValue("sec ond/%"), "2"},
		{"nothing in the path", path, pathValue(""), ""},
		{"another one in the path", path, pathValue("firsT"), ""},
		{"a part in the path", path, pathValue("firs"), ""},
		{"more than it in the path", path, pathValue("first "), ""},
		{"in the query although the path was meant", path, rawQuery("token=first"), ""},
		{"the first key in the query", query, rawQuery("a=b&token=first"), "1"},
		{"the second key in the query, encoded", query, rawQuery("token=sec+ond%2F%25"), "2"},
		{"the same twice in the query", query, rawQuery("token=first&token=first"), ""},
		{"one right and one wrong in the query", query, rawQuery("token=wrong&token=first"), ""},
		{"empty in the query", query, rawQuery("token="), ""},
		{"badly encoded in the query", query, rawQuery("token=%zz"), ""},
		{"another name in the query", query, rawQuery("Token=first"), ""},
		{"the first key in the header", header, headers("Bearer first"), "1"},
		{"the second key in the header", header, headers("Bearer sec ond/%"), "2"},
		{"twice in the header", header, headers("Bearer first", "Bearer first"), ""},
		{"without the prefix", header, headers("first"), ""},
		{"the prefix in another case", header, headers("bearer first"), ""},
		{"the prefix alone", header, headers("Bearer "), ""},
		{"no header", header, headers(), ""},
	}
	for _, v := range []*webhook.Token{path, query, header} {
		verifierValidate(t, v)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.v.Admit(tt.r); (err == nil) != (tt.label != "") {
				t.Errorf("Admit = %v", err)
			}
			proof, err := tt.v.Verify(tt.r, []byte("any body"))
			if diff := cmp.Diff(webhook.Proof{KeyLabel: tt.label}, proof); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (tt.label != "") || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v", err)
			}
		})
	}
}

func TestTokenSignsForAServeMux(t *testing.T) {
	for _, secret := range []string{"plain", "with space", "a/b", "100%", "ünï", "a+b&c=d"} {
		for name, v := range map[string]*webhook.Token{
			"path":   {PathValue: "token"},
			"query":  {Query: "token"},
			"header": {Header: "X-Token"},
		} {
			t.Run(name+" "+secret, func(t *testing.T) {
				v.Keys = webhook.Keys(webhook.NewSecret(secret))
				target := "/hooks"
				if v.PathValue != "" {
					target = "/hooks/{token}"
				}
				mux := http.NewServeMux()
				got := make(chan *webhook.Delivery, 1)
				mux.Handle(target, webhook.NewReceiver(webhook.Source{Name: "acme", Verifier: v}, recvSend(got)))
				r := httptest.NewRequest("POST", target, strings.NewReader("{}"))
				if err := v.Sign(r, nil); err != nil {
					t.Fatal(err)
				}
				// As a client would encode it.
				wire := httptest.NewRequest("POST", r.URL.String(), strings.NewReader("{}"))
				wire.Header = r.Header
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, wire)
				if w.Code != http.StatusAccepted || len(got) != 1 {
					t.Fatalf("answer %d, %d deliveries, for %s", w.Code, len(got), r.URL)
				}
			})
		}
	}
}

// Proxies write the requested path into headers of their own.
func TestPromise11_AStoredHeaderNeverHoldsTheToken(t *testing.T) {
	const token = "t0ken with/slash"
	key := webhook.Keys(webhook.NewSecret(token))
	inner := &webhook.Token{PathValue: "token", Keys: key}
	inQuery := &webhook.Token{Query: "token", Keys: key}
	inHeader := &webhook.Token{Header: "x-api-key", Keys: key}
	basic := &webhook.BasicAuth{Keys: key}
	for name, tt := range map[string]struct {
		v      webhook.Verifier
		signer webhook.Signer
	}{
		"in the path":    {inner, inner},
		"in the query":   {inQuery, inQuery},
		"in a header":    {inHeader, inHeader},
		"in Basic":       {basic, basic},
		"inside AllOf":   {webhook.NewAllOf(&webhook.InsecureAcceptAll{}, inner), inner},
		"inside AnyOf":   {webhook.NewAnyOf(&webhook.HMAC{Header: "X-Sig", Keys: key}, inner), inner},
		"deeper in both": {webhook.NewAnyOf(webhook.NewAllOf(inner)), inner},
	} {
		t.Run(name, func(t *testing.T) {
			src := webhook.Source{Name: "acme", Verifier: tt.v}
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/hooks/{token}", nil)
			r.Header.Set("Authorization", "Bearer x")
			r.Header.Set("Proxy-Authorization", "Bearer x")
			r.Header.Set("Cookie", "a=b")
			r.Header.Set("X-Event", "push")
			if err := tt.signer.Sign(r, nil); err != nil {
				t.Fatal(err)
			}
			if tt.signer == inner || tt.signer == inQuery {
				r.Header.Set("X-Original-Uri", "/hooks/"+token)
				r.Header.Set("X-Forwarded-Uri", "/hooks/"+url.PathEscape(token))
				r.Header.Set("Referer", "https://example.com/?token="+url.QueryEscape(token))
			}
			d, err := src.Open(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := http.Header{"X-Event": {"push"}}
			if diff := cmp.Diff(want, d.Header); diff != "" {
				t.Errorf("stored headers (-want +got):\n%s", diff)
			}
		})
	}
}

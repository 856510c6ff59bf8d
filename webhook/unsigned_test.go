package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// unsignedSource describes calls by their headers.
func unsignedSource() webhook.Source {
	return webhook.Source{
		Name:     "acme",
		Verifier: &webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(webhook.NewSecret("secret"))},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.Header.Get("X-ID"), Type: "acme.push", OrderingKey: "key", DedupBySignature: true}
		},
	}
}

func TestOpenUnsignedDescribesTheCallAsOpenDoes(t *testing.T) {
	src := unsignedSource()
	src.Scope = func(r *http.Request) string { return r.Header.Get("X-Tenant") }
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header = http.Header{"X-Id": {"1"}, "X-Tenant": {"ann"}, "Authorization": {"Bearer s3cret"}}
	body := []byte(`{}`)
	if err := src.Verifier.(webhook.Signer).Sign(r, body); err != nil {
		t.Fatal(err)
	}
	signed, err := src.Open(r, body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := src.OpenUnsigned(r, body, "read from the API")
	if err != nil {
		t.Fatal(err)
	}
	if signed.Unsigned != "" {
		t.Errorf("Open set Unsigned to %q", signed.Unsigned)
	}
	want := *signed
	want.UID, want.ReceivedAt, want.KeyLabel = got.UID, got.ReceivedAt, ""
	want.DedupKeys, want.Unsigned = signed.DedupKeys[:1], "read from the API" // without the signature
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("OpenUnsigned (-want +got):\n%s", diff)
	}
	var in webhook.MemInbox
	if err := in.Put(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if err := in.Put(t.Context(), signed); !errors.Is(err, webhook.ErrDuplicate) {
		t.Errorf("the signed call after the unsigned one: %v, want a duplicate", err)
	}
}

func TestOpenUnsignedReturnsItsErrors(t *testing.T) {
	src := unsignedSource()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if _, err := src.OpenUnsigned(r, nil, ""); err == nil {
		t.Error("without a reason: no error")
	}
	src.Scope = func(*http.Request) string { return "" }
	if _, err := src.OpenUnsigned(r, nil, "read from the API"); err == nil || !strings.Contains(err.Error(), "Scope") {
		t.Errorf("without a scope: %v", err)
	}
}

package webhook_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// scopeSource returns a Source whose scope and keys are path values.
func scopeSource(t testing.TB) webhook.Source {
	t.Helper()
	src := webhook.Source{
		Name:     "shop",
		Verifier: &webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(webhook.NewSecret("k"))},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.PathValue("id"), OrderingKey: r.PathValue("key")}
		},
		Scope:    func(r *http.Request) string { return r.PathValue("tenant") },
		Coalesce: webhook.Coalesce{Quiet: 1},
	}
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	return src
}

func scopeOpen(t testing.TB, src webhook.Source, tenant, id, key string) *webhook.Delivery {
	t.Helper()
	r := httptest.NewRequest("POST", "/", nil)
	r.SetPathValue("tenant", tenant)
	r.SetPathValue("id", id)
	r.SetPathValue("key", key)
	if err := src.Verifier.(webhook.Signer).Sign(r, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	d, err := src.Open(r, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// shortened returns what is after the separator in a key that is not text, as it is
// stored: it ends in a digest.
func shortened(key string) string {
	sum := sha256.Sum256([]byte(key))
	_, rest, _ := strings.Cut(key, "|")
	return strings.TrimPrefix(rest, "id:") + "~" + hex.EncodeToString(sum[:16])
}

func TestScopesShareNoKeys(t *testing.T) {
	src := scopeSource(t)
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		name               string
		tenant, id, key    string
		tenant2, id2, key2 string
		same               bool
	}{
		{"one tenant", "a", "1", "k", "a", "1", "k", true},
		{"two tenants", "a", "1", "k", "b", "1", "k", false},
		{"a separator in the scope", "a|b", "1", "k", "a", "1", "b|k", false},
		{"an escaped separator in the scope", "a%7Cb", "1", "k", "a|b", "1", "k", false},
		{"an escape in the scope", "a%", "1", "k", "a%25", "1", "k", false},
		{"long scopes with an equal beginning", long + "1", "1", "k", long + "2", "1", "k", false},
		{"a long scope", long, "1", "k", long, "1", "k", true},
		{"long keys with an equal beginning", "a", long + "1", long + "1", "a", long + "2", long + "2", false},
		{"a scope that is not UTF-8", "\xff", "1", "k", "\xfe", "1", "k", false},
		{"a scope with NUL", "a\x00", "1", "k", "a", "1", "k", false},
		{"what a scope with NUL is shortened to", "a\x00", "1", "k", "a\uFFFD", shortened("a\x00|id:1"), shortened("a\x00|k"), false},
		{"upper case", "A", "1", "k", "a", "1", "k", false},
	} {
		a, b := scopeOpen(t, src, tt.tenant, tt.id, tt.key), scopeOpen(t, src, tt.tenant2, tt.id2, tt.key2)
		if (a.OrderingKey == b.OrderingKey) != tt.same {
			t.Errorf("%s: ordering keys %q and %q", tt.name, a.OrderingKey, b.OrderingKey)
		}
		var inbox webhook.MemInbox
		if err := inbox.Put(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		err := inbox.Put(t.Context(), b)
		if errors.Is(err, webhook.ErrDuplicate) != tt.same {
			t.Errorf("%s: %v with the dedup keys %q and %q", tt.name, err, a.DedupKeys, b.DedupKeys)
		}
		for _, k := range append(a.DedupKeys, a.OrderingKey) {
			if len(k) > 255 {
				t.Errorf("%s: %q has %d bytes", tt.name, k, len(k))
			}
			if !utf8.ValidString(k) || strings.Contains(k, "\x00") {
				t.Errorf("%s: PostgreSQL does not store %q as text", tt.name, k)
			}
		}
	}
}

func TestScopeIsTheBeginningOfEachKey(t *testing.T) {
	src := scopeSource(t)
	src.Describe = func(*http.Request, []byte) webhook.Description {
		return webhook.Description{ID: "1", OrderingKey: "app", DedupKeys: []string{"x"}}
	}
	d := scopeOpen(t, src, "a|%", "", "")
	if diff := cmp.Diff([]string{"a%7C%25|x"}, d.DedupKeys); diff != "" || d.OrderingKey != "a%7C%25|app" || d.ID != "1" {
		t.Errorf("%q, %q, %s", d.ID, d.OrderingKey, diff)
	}
	src.Describe = func(*http.Request, []byte) webhook.Description { return webhook.Description{ID: "1"} }
	d = scopeOpen(t, src, "a", "", "")
	if diff := cmp.Diff([]string{"a|id:1"}, d.DedupKeys); diff != "" || d.OrderingKey != "" || d.Coalesce != (webhook.Coalesce{}) {
		t.Errorf("without an ordering key: %q, %v, %s", d.OrderingKey, d.Coalesce, diff)
	}
	src.Describe = func(*http.Request, []byte) webhook.Description { return webhook.Description{DedupBySignature: true} }
	for tenant, want := range map[string]string{"a": "a|mac:", strings.Repeat("b", 200): strings.Repeat("b", 200) + "|mac:"} {
		d = scopeOpen(t, src, tenant, "", "")
		if len(d.DedupKeys) != 1 || !strings.HasPrefix(d.DedupKeys[0], want) || len(d.DedupKeys[0]) > 255 {
			t.Errorf("by the signature: %q", d.DedupKeys)
		}
	}
	src.Describe = nil
	if d = scopeOpen(t, src, "a", "", ""); d.DedupKeys != nil {
		t.Errorf("without an ID: %q", d.DedupKeys)
	}
}

// An authentic delivery whose scope is not known is neither stored nor acknowledged.
func TestScopeThatIsNotKnownIsAnsweredWith500(t *testing.T) {
	for name, scope := range map[string]func(*http.Request) string{
		"empty": func(*http.Request) string { return "" },
		"panic": func(*http.Request) string { panic("no tenant") },
	} {
		src := scopeSource(t)
		src.Scope = scope
		rc := webhook.NewReceiver(src, recvMustNotRun(t))
		logger, log := recvLogger()
		rc.Logger = logger
		r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
		if err := src.Verifier.(webhook.Signer).Sign(r, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		rc.ServeHTTP(w, r)
		if w.Code != 500 || !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), "Scope") {
			t.Errorf("%s: answer %d, log %s", name, w.Code, log)
		}
		if _, err := src.Open(r, []byte("{}")); webhook.StatusCode(err) != 500 || errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s: Open = %v", name, err)
		}
		// Scope is not asked about a request that is not authentic.
		r.Header.Set("X-Sig", strings.Repeat("0", 64))
		if _, err := src.Open(r, []byte("{}")); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s: Open of another signature = %v", name, err)
		}
	}
}

package inspect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

const planted = "5up3r53cr3t5up3r53cr3t5up3r53cr3t5up3r53cr3t"

// secretHeaders are headers as senders and proxies send them, with a secret in each.
var secretHeaders = http.Header{
	"Authorization":            {"Bearer " + planted},
	"Proxy-Authorization":      {"Basic " + planted},
	"Cookie":                   {"session=" + planted},
	"Set-Cookie":               {"session=" + planted},
	"X-Hub-Signature-256":      {"sha256=" + planted},
	"X-Jobserv-Sig":            {"sha256:" + planted},
	"Stripe-Signature":         {"t=1,v1=" + planted},
	"Webhook-Signature":        {"v1," + planted},
	"X-Shopify-Hmac-Sha256":    {planted},
	"X-Gitlab-Token":           {planted},
	"X-Api-Key":                {planted},
	"Apikey":                   {planted},
	"X-Secret":                 {planted},
	"Digest":                   {"x=" + planted},
	"X-Acme-Proof":             {"v0=" + planted},
	"X-Acme-Check":             {planted}, // by its value
	"X-Acme-Sealed":            {"eyJhbGciOiJIUzI1NiJ9." + planted + ".x"},
	"X-Acme-Login":             {"fine", "Bearer " + planted},
	"X-Custom":                 {"my " + planted}, // by Redact
	"X-Original-Uri":           {"/hooks/dockerhub/" + planted},
	"X-Forwarded-Uri":          {"/hooks/dockerhub/" + planted},
	"X-Rewrite-Url":            {"/hooks/dockerhub/" + planted},
	"X-Envoy-Original-Path":    {"/hooks/dockerhub/" + planted},
	"Referer":                  {"https://example.com/" + planted},
	"X-Forwarded-Prefix":       {"/hooks/dockerhub/" + planted},
	"X-Acme-Route":             {"/hooks/" + planted}, // by its value
	"X-Acme-Line":              {"POST /hooks/" + planted + " HTTP/1.1"},
	"X-Original-Query":         {"token=" + planted},
	"X-Acme-Login-Line":        {"user=bob password=" + planted},
	"X-Callback":               {"see https://example.com/hooks/" + planted + " for more"},
	"X-Callback-With-Password": {"https://user:" + planted + "@example.com/"},
}

func TestSecretsAreNotShown(t *testing.T) {
	r := newRig(t)
	r.Redact = []string{"x-custom"}
	d := delivery("key", "{}")
	d.Header = secretHeaders.Clone()
	d.Header["User-Agent"] = []string{"Docker/1.0 (https://hub.docker.com)"}
	d.Header["Accept"] = []string{"*/*"}
	d.Header["X-Github-Delivery"] = []string{"72d3162e-cc78-11e3-81ab-4c9367dc0958"}
	d.DedupKeys = []string{"mac:" + planted, "id:7"}
	r.put(d)
	r.settle(webhook.Dead, `Post "https://bob:`+planted+`@example.com/hooks/`+planted+`?token=`+planted+`": refused; Bearer `+planted+`; host=db password=`+planted+` api_key="`+planted+`", token count 7`)
	pages := []string{"api/delivery?uid=" + d.UID, "api/deliveries", "api/attempts?uid=" + d.UID, "api/neighbors?uid=" + d.UID}
	for _, page := range append(pages, htmlPages(d)...) {
		w := r.get(page)
		if w.Code != 200 || strings.Contains(w.Body.String(), planted) {
			t.Errorf("%s: %d, or it has the secret: %s", page, w.Code, w.Body)
		}
	}
	got := decode[struct {
		Header    http.Header
		Reason    string
		DedupKeys []string `json:"dedup_keys"`
	}](t, r.get(pages[0]))
	if d := cmp.Diff(`Post "https://example.com/REDACTED": refused; Bearer REDACTED; host=db password=REDACTED api_key=REDACTED, token count 7`, got.Reason); d != "" {
		t.Errorf("the reason: -want +got\n%s", d)
	}
	if d := cmp.Diff([]string{"mac:REDACTED", "id:7"}, got.DedupKeys); d != "" {
		t.Errorf("dedup keys: -want +got\n%s", d)
	}
	for name, value := range map[string]string{"User-Agent": "Docker/1.0 (https://hub.docker.com)", "Accept": "*/*", "X-Github-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "Authorization": "REDACTED"} {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
	}
}

// What the store says about a failure may have the name of a user, or of a host.
func TestWhatTheStoreSaysIsForTheLog(t *testing.T) {
	r := newRig(t)
	r.Inspector = r.inspector(failingStore{r.inbox, 0}, ann)
	for _, page := range []string{"api/deliveries", "api/deliveries?source=shop", "api/delivery?uid=x", "api/overview"} {
		w := r.get(page)
		if w.Code != 503 || strings.Contains(w.Body.String(), "db.internal") {
			t.Errorf("%s: %d %s", page, w.Code, w.Body)
		}
	}
	if !strings.Contains(r.log.String(), "db.internal") {
		t.Errorf("the log: %s", &r.log)
	}
}

// htmlPages are the pages on which a delivery is.
func htmlPages(d *webhook.Delivery) []string {
	return []string{"", "delivery?uid=" + d.UID, "act?act=replay&uid=" + d.UID, "acts", "replays", "select?state=waiting,dead&text=x"}
}

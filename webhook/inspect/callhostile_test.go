package inspect_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// hostileBodies are bodies as somebody writes them who wants to harm the viewer.
var hostileBodies = []string{
	hostile, `{"a":"<script>alert(1)</script>\u001b[2J"}`, "payload=%3Cscript%3Ealert(1)%3C/script%3E%1b[2J", strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
	strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000), strings.Repeat("\xff\xfe\x00", 1000), strings.Repeat("<", 25<<20), `"` + strings.Repeat(`\u003c`, 40_000) + `"`,
}

func TestARefusedCallIsShownInert(t *testing.T) {
	for i, body := range hostileBodies {
		kinds := []string{"application/json", "application/x-www-form-urlencoded"}
		if len(body) > 1<<20 {
			kinds = kinds[:1]
		}
		for _, kind := range kinds {
			r := newRig(t)
			h := r.receiver(gitHubSource(ours))
			request, err := http.NewRequest("POST", "/hooks/"+"%3Cscript%3E?x=<script>", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = http.Header{
				"Content-Type": {kind}, "X-Name": {hostile, "javascript:alert(1)"}, hostile: {"<img src=x>"},
				"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}, "User-Agent": {hostile},
			}
			request.RemoteAddr, request.Host = hostile, hostile
			if w := serveCall(h, request); w.Code != 401 {
				t.Fatalf("%d: %d %s", i, w.Code, w.Body)
			}
			c := r.last()
			if c.Why[0].Cause != "secret_wrong" && !c.BodyCut {
				t.Errorf("%d: %+v", i, c.Why)
			}
			requireInert(t, r, c.N)
		}
	}
}

// requireInert requires that the pages of a call have nothing that a browser, or a terminal,
// acts upon.
func requireInert(t *testing.T, r *rig, n int64) {
	t.Helper()
	for _, page := range []string{fmt.Sprint("call?n=", n), fmt.Sprint("api/call?n=", n), "calls", "api/calls", ""} {
		w := r.get(page)
		body := w.Body.String()
		if w.Code != 200 || len(body) > 512<<10 {
			t.Errorf("%s: %d, %d bytes", page, w.Code, len(body))
		}
		for _, bad := range []string{"<script>alert", "<img", "\x1b", "\u202e", "\x00", "\xff", "\x07"} {
			if (!strings.HasPrefix(page, "api/") || bad[0] != '<') && strings.Contains(body, bad) {
				t.Errorf("%s has %q", page, bad)
			}
		}
	}
}

func TestAHeadOfARefusedCallIsShownInert(t *testing.T) {
	r := newRig(t)
	h := r.receiver(webhook.Source{Name: "shop", ContentTypes: []string{"text/json"}, Verifier: &webhook.HMAC{Header: "X-Sig", Keys: webhook.Keys(webhook.NewSecret(ours))}})
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = "<SCRIPT>" + strings.Repeat("\x1b", 100) },
		func(r *http.Request) { r.Header["X-Sig"] = []string{hostile} },
		func(r *http.Request) { r.Header["X-Sig"] = []string{hostile, hostile} },
		func(r *http.Request) { r.Header["X-Other-Signature"] = []string{"v1=" + hostile} },
		func(r *http.Request) {
			r.Header["X-Sig"], r.Header["Content-Type"] = []string{strings.Repeat("0", 64)}, []string{hostile}
		},
	} {
		request, err := http.NewRequest("POST", "/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Pattern = hostile
		change(request)
		serveCall(h, request)
		c := r.last()
		if len(c.Why) == 0 {
			t.Errorf("%+v", c)
		}
		requireInert(t, r, c.N)
	}
}

// Headers of a refused call are redacted like those of a delivery, and by what its verifier
// says.
func TestHeadersOfARefusedCallAreRedacted(t *testing.T) {
	r := newRig(t)
	r.Redact = []string{"x-custom"}
	src := webhook.Source{Name: "acme", Verifier: webhook.NewAnyOf(
		&webhook.HMAC{Header: "X-Proof", Keys: webhook.Keys(webhook.NewSecret(ours))}, &webhook.Token{Header: "X-Pass", Keys: webhook.Keys(webhook.NewSecret(theirs))})}
	h := r.receiver(src)
	request, err := http.NewRequest("POST", "/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = secretHeaders.Clone()
	request.Header["X-Proof"], request.Header["X-Pass"] = []string{"wr0ng pr00f"}, []string{"a wrong token"}
	request.Header["X-Acme-Copy"] = []string{"it had a wrong token"}
	serveCall(h, request)
	c := r.last()
	if c.Status != 401 || c.Header.Get("X-Acme-Copy") != "REDACTED" {
		t.Errorf("%+v", c)
	}
	for _, page := range []string{fmt.Sprint("call?n=", c.N), fmt.Sprint("api/call?n=", c.N), "calls", "api/calls"} {
		for _, secret := range []string{planted, "a wrong token", "wr0ng pr00f", ours, theirs} {
			if text := r.get(page).Body.String(); strings.Contains(text, secret) {
				t.Errorf("%s has %q: %s", page, secret, text)
			}
		}
	}
}

// What a database says about a failure is for the log, in a call as in a page.
func TestWhatALookUpOfKeysSaysIsForTheLog(t *testing.T) {
	r := newRig(t)
	src := gitHubSource()
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(*http.Request) ([]webhook.Key, error) {
		return nil, fmt.Errorf("dial db.internal:5432 as hookhouse")
	}}
	sendGitHub(t, r.receiver(src), ours, []byte("{}"))
	c := r.last()
	if c.Status != 503 || c.Class != "overloaded" || c.Why[0].Cause != "overloaded" {
		t.Errorf("%+v", c)
	}
	for _, page := range []string{"call?n=1", "api/call?n=1", "calls"} {
		if strings.Contains(r.get(page).Body.String(), "db.internal") {
			t.Errorf("%s has what the database said", page)
		}
	}
}

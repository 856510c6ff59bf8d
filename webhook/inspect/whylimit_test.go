package inspect_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestCausesAreLookedForOnDemandAndOnce(t *testing.T) {
	r := newRig(t)
	var looks atomic.Int64
	src := gitHubSource()
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(*http.Request) ([]webhook.Key, error) {
		looks.Add(1)
		return webhook.Keys(webhook.NewSecret(ours)), nil
	}}
	h := r.receiver(src)
	sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	r.get("calls")
	r.get("api/calls")
	if n := looks.Load(); n != 1 {
		t.Fatalf("a list asks for keys: %d", n)
	}
	r.get("call?n=1")
	made := looks.Load()
	r.get("api/call?n=1")
	if n := looks.Load(); made == 1 || n != made {
		t.Errorf("%d look-ups for the first page, and %d more", made, n-made)
	}
}

func TestCausesAreLimitedOverAllViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		h := r.receiver(gitHubSource(ours))
		for range 32 {
			serveCall(h, webhooktest.NewRequest(gitHubSource(theirs), "/hooks/github", webhooktest.GitHubPush()))
		}
		for n := 1; n <= 30; n++ {
			if c := decode[call](t, r.get(fmt.Sprint("api/call?n=", n))); len(c.Why) == 0 || c.WhyNote != "" {
				t.Errorf("%d: %+v", n, c)
			}
		}
		time.Sleep(10 * time.Second)
		for _, page := range []string{"api/call?n=31", "call?n=31"} {
			if text := r.get(page).Body.String(); !strings.Contains(text, "30 calls were examined in the last minute") || !strings.Contains(text, "in 51 seconds") {
				t.Errorf("%s: %s", page, text)
			}
		}
		if c := decode[call](t, r.get("api/call?n=7")); len(c.Why) == 0 {
			t.Errorf("one that is known: %+v", c)
		}
		time.Sleep(51 * time.Second)
		if c := decode[call](t, r.get("api/call?n=31")); len(c.Why) == 0 {
			t.Errorf("a minute later: %+v", c)
		}
	})
}

// With many keys the limit of signatures ends the search, and the page says so.
func TestADiagnosisComputesABoundedNumberOfSignatures(t *testing.T) {
	r := newRig(t)
	var secrets []string
	for i := range 100 {
		secrets = append(secrets, fmt.Sprint("the secret of tenant ", i))
	}
	sendGitHub(t, r.receiver(gitHubSource(secrets...)), theirs, webhooktest.GitHubPush())
	if c := r.last(); !strings.Contains(c.WhyNote, "The limit of signatures was reached") || c.Why[0].Cause != "secret_wrong" {
		t.Errorf("%+v %s", c.Why, c.WhyNote)
	}
}

func TestAPanicOfAFuncOfTheProgramEndsTheDiagnosisAlone(t *testing.T) {
	r := newRig(t)
	looks := 0
	src := gitHubSource()
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(*http.Request) ([]webhook.Key, error) {
		if looks++; looks > 1 {
			panic("the table of keys is gone")
		}
		return webhook.Keys(webhook.NewSecret(ours)), nil
	}}
	sendGitHub(t, r.receiver(src), theirs, webhooktest.GitHubPush())
	if c := r.last(); !strings.Contains(c.WhyNote, "panicked") || strings.Contains(c.WhyNote, "table of keys") || !strings.Contains(r.log.String(), "the table of keys is gone") {
		t.Errorf("%+v; the log: %s", c, &r.log)
	}
}

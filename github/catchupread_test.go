package github_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// stored returns the only delivery of an inbox.
func stored(t *testing.T, in github.CatchUpInbox) *webhook.Delivery {
	t.Helper()
	var all []*webhook.Delivery
	for r, err := range in.(*webhook.MemInbox).All(t.Context(), webhook.Filter{Bodies: true}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Delivery)
	}
	if len(all) != 1 {
		t.Fatalf("%d deliveries are stored, want 1", len(all))
	}
	return all[0]
}

func TestADeliveryThatIsReadFromTheAPISaysThatItIsUnsigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(1)
		c := g.catchUp()
		c.ReadAPI = true
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		d := stored(t, g.inbox)
		if !strings.Contains(d.Unsigned, "API") || d.ID != g.sent[0] || d.Type != "github.issues" || d.KeyLabel != "" {
			t.Errorf("stored %v, unsigned %q", d.LogValue(), d.Unsigned)
		}
		// The document is that of the event, with its large number, and its bytes are others.
		doc, err := d.Document()
		if want := `{"action":"labeled","issue":{"id":12345678901234567},"n":0}`; err != nil || string(doc) != want {
			t.Errorf("document %s, %v, want %s", doc, err, want)
		}
		for _, name := range []string{github.SignatureHeader, github.SHA1SignatureHeader} {
			if d.Header.Get(name) != "" {
				t.Errorf("the header has %s, of other bytes", name)
			}
		}
		if d.Header.Get(github.HookIDHeader) != "1" || d.Header.Get("Content-Type") != "application/json" {
			t.Errorf("header %v", d.Header)
		}
		g.wantAllRun()
	})
}

func TestARedeliveryArrivesSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(1)
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		if d := stored(t, g.inbox); d.Unsigned != "" || d.Header.Get(github.SignatureHeader) == "" {
			t.Errorf("unsigned %q, header %v", d.Unsigned, d.Header)
		}
	})
}

func TestTheHookOfAnAppIsReadWithAJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if key, err = github.ParseAppKey(text); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.gh.AppKey = &key.PublicKey
		g.gh.AddHook("app/hook", githubtest.Hook{URL: "http://receiver/hooks/github", Secret: webhook.NewSecret("hook secret")})
		client, err := github.NewClient("https://ghes.example/api/v3", github.AppCredentials("Iv23abc", key))
		if err != nil {
			t.Fatal(err)
		}
		client.Transport = webhooktest.InMemory(g.gh)
		c := github.NewCatchUp(client, github.AppHook(), g.source, g.inbox)
		c.Logger, c.Every = catchuptest.Quiet(), 10*time.Minute
		defer g.start(c)()
		catchuptest.Advance(3 * time.Hour) // the tokens are renewed
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		d := g.gh.Send(t.Context(), "app/hook", "issues", []byte(`{}`))
		g.sent = append(g.sent, d.GUID)
		g.net.Set(nil)
		catchuptest.Advance(11 * time.Minute)
		g.wantAllRun()
		if n := g.requests("GET", 401); n > 0 {
			t.Errorf("%d requests were answered 401", n)
		}
	})
}

func TestParseAppKeyReadsBothForms(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := github.ParseAppKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	if err != nil || !got.Equal(key) {
		t.Errorf("PKCS #8: %v", err)
	}
	for _, text := range []string{"", "s3cret", "-----BEGIN RSA PRIVATE KEY-----\nczNjcmV0\n-----END RSA PRIVATE KEY-----\n"} {
		if _, err := github.ParseAppKey([]byte(text)); err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "czNj") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNewClientRefusesABaseThatIsNone(t *testing.T) {
	for _, base := range []string{"api.github.com", "ftp://a", "https://u:s3cret@a", "https://a?b=s3cret", "https://a#b", "https://%zz"} {
		if _, err := github.NewClient(base, github.Token(webhook.NewSecret("t"))); !errors.Is(err, github.ErrBase) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestRunRefusesSettingsAtOnce(t *testing.T) {
	for name, change := range map[string]func(c *github.CatchUp, hook *github.HookRef, source *webhook.Source){
		"Every":        func(c *github.CatchUp, _ *github.HookRef, _ *webhook.Source) { c.Every = time.Second },
		"zero HookRef": func(_ *github.CatchUp, h *github.HookRef, _ *webhook.Source) { *h = github.HookRef{} },
		"\"a/b\"": func(_ *github.CatchUp, h *github.HookRef, _ *webhook.Source) {
			*h = github.RepositoryHook("a/b", "c", 1)
		},
		"no positive id": func(_ *github.CatchUp, h *github.HookRef, _ *webhook.Source) { *h = github.OrganizationHook("acme", 0) },
		"255":            func(_ *github.CatchUp, _ *github.HookRef, s *webhook.Source) { s.Name = strings.Repeat("a", 250) },
		"no name":        func(_ *github.CatchUp, _ *github.HookRef, s *webhook.Source) { s.Name = "" },
		"no dedup key":   func(_ *github.CatchUp, _ *github.HookRef, s *webhook.Source) { s.Describe = nil },
		"Scope returned no": func(_ *github.CatchUp, _ *github.HookRef, s *webhook.Source) {
			s.Scope = func(r *http.Request) string { return r.PathValue("tenant") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := github.NewClient("", github.Token(webhook.NewSecret("t")))
			if err != nil {
				t.Fatal(err)
			}
			hook, source, every := github.RepositoryHook("acme", "app", 7), github.Source(webhook.NewSecret("s")), github.CatchUp{}
			change(&every, &hook, &source)
			c := github.NewCatchUp(client, hook, source, new(webhook.MemInbox))
			c.Every = every.Every
			if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Run returned %v, want an error about %s", err, name)
			}
		})
	}
}

func TestRunOfARunningCatchUpIsErrRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		c := g.catchUp()
		stop := g.start(c)
		synctest.Wait()
		if err := c.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
			t.Errorf("Run returned %v, want ErrRunning", err)
		}
		stop()
		defer g.start(c)() // again
		catchuptest.Advance(time.Minute)
		if n := c.Status().Looks; n != 1 {
			t.Errorf("%d looks of the second run, want 1", n)
		}
	})
}

// A tenant's catch-up has a copy of the Source whose Scope returns the tenant.
func TestACatchUpKnowsTheDeliveriesOfItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(2)
		source := g.source
		source.Scope = func(*http.Request) string { return "ann" }
		d, err := source.OpenUnsigned(&http.Request{Method: http.MethodPost, Header: http.Header{"X-Github-Delivery": {g.sent[0]}}}, []byte(`{}`), "a test")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"ann|id:" + g.sent[0]}, d.DedupKeys); diff != "" {
			t.Fatal(diff)
		}
		if err := g.inbox.Put(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		c := github.NewCatchUp(g.client, github.RepositoryHook("acme", "app", 7), source, g.inbox)
		c.Logger, c.ReadAPI = catchuptest.Quiet(), true
		c.Since = time.Now().Add(-time.Hour)
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		if s := c.Status(); s.Found != 1 || s.Stored != 1 {
			t.Errorf("status %+v, want one found and stored", s)
		}
	})
}

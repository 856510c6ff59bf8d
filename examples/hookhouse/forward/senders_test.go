package forward_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/hookhouse/forward"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// An identity is what must be the same at both services.
type identity struct {
	Source, ID, Type, Key, Body, Malformed string
}

func identityOf(d *webhook.Delivery) identity {
	return identity{d.Source, d.ID, d.Type, d.OrderingKey, string(d.Body), d.Malformed}
}

// TestADeliveryOfEachSenderVerifiesAtTheOtherService calls staging as each sender does, with
// the secrets of staging. Each call arrives at the service here, whose receivers demand other
// secrets.
func TestADeliveryOfEachSenderVerifiesAtTheOtherService(t *testing.T) {
	secret := webhook.NewSecret(stagingSecret)
	for name, call := range map[string]func(t *testing.T, at string) webhooktest.Result{
		"GitHub": func(t *testing.T, at string) webhooktest.Result {
			g := webhooktest.GitHub{Secret: secret, HookID: 77}
			return g.Deliver(t.Context(), at+"/hooks/github", "push", webhooktest.GitHubPush())
		},
		"GitHub, a form": func(t *testing.T, at string) webhooktest.Result {
			g := webhooktest.GitHub{Secret: secret, Form: true}
			return g.Deliver(t.Context(), at+"/hooks/github", "pull_request", webhooktest.GitHubPullRequest())
		},
		"JobServ": func(t *testing.T, at string) webhooktest.Result {
			j := webhooktest.JobServ{Secret: secret}
			return j.Deliver(t.Context(), at+"/hooks/jobserv", webhooktest.JobServBuild())
		},
		"Docker Hub": func(t *testing.T, at string) webhooktest.Result {
			h := webhooktest.DockerHub{}
			return h.Deliver(t.Context(), at+"/hooks/dockerhub/"+stagingSecret, webhooktest.DockerHubPush())
		},
		"Kudu": func(t *testing.T, at string) webhooktest.Result {
			k := webhooktest.Kudu{}
			return k.Deliver(t.Context(), at+"/hooks/kudu/"+stagingSecret, webhooktest.KuduDeployment())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStaging(t)
			first := s.put(t, "before") // what came before is not forwarded
			got := new(webhooktest.Recorder)
			var here host
			here.up(t, receivers(localSecret, got))
			f := s.forwarder(t, here.addr)
			r := start(t, f)
			r.waitUntilItHasBegun(t)
			if result := call(t, "http://"+s.addr); result.Attempts[0].Status != 202 {
				t.Fatalf("staging: %+v", result)
			}
			e := r.next(t)
			if e.Status != 202 || e.Delivery.UID == first {
				t.Fatalf("%+v", e)
			}
			there, err := s.inbox.Get(t.Context(), e.Delivery.UID)
			if err != nil {
				t.Fatal(err)
			}
			here1 := got.Deliveries()[got.Count()-1]
			if d := cmp.Diff(identityOf(there.Delivery), identityOf(here1)); d != "" {
				t.Errorf("-staging +here\n%s", d)
			}
			for _, name := range []string{"X-Github-Event", "X-Github-Delivery", "X-Github-Hook-Id", "Content-Type", "User-Agent"} {
				if d := cmp.Diff(there.Delivery.Header[name], here1.Header[name]); d != "" {
					t.Errorf("%s: -staging +here\n%s", name, d)
				}
			}
		})
	}
}

// waitUntilItHasBegun waits for what Run notes first: what is stored afterwards is sent.
func (r *run) waitUntilItHasBegun(t *testing.T) {
	t.Helper()
	eventually(t, "the forwarder has begun", func() bool { return r.noted() != "" })
}

// TestWhatTheServiceDoesNotShowIsDerived: the event from the type, the GUID from the id, and the
// type of the content from the body.
func TestWhatTheServiceDoesNotShowIsDerived(t *testing.T) {
	for _, form := range []bool{false, true} {
		s := newStaging(t)
		s.down()
		s.redact = []string{"X-GitHub-Event", "X-GitHub-Delivery", "Content-Type", "User-Agent"}
		s.start(t)
		got := new(webhooktest.Recorder)
		var here host
		here.up(t, receivers(localSecret, got))
		f := s.forwarder(t, here.addr)
		f.Filter.From = longAgo
		r := start(t, f)
		g := webhooktest.GitHub{Secret: webhook.NewSecret(stagingSecret), Form: form}
		result := g.Deliver(t.Context(), "http://"+s.addr+"/hooks/github", "issues", webhooktest.GitHubIssue())
		if e := r.next(t); e.Status != 202 {
			t.Fatalf("form %v: %+v", form, e)
		}
		d := got.Deliveries()[0]
		if d.ID != result.GUID || d.Type != "github.issues" || d.Malformed != "" || len(d.Header["User-Agent"]) > 0 {
			t.Errorf("form %v: %s %s %s %v", form, d.ID, d.Type, d.Malformed, d.Header)
		}
	}
}

func TestKuduWithAPasswordInItsURL(t *testing.T) {
	s := newStaging(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	f := s.forwarder(t, here.addr)
	f.Targets["kudu"] = forward.Target{URL: "http://hook:" + localSecret + "@" + here.addr + "/basic/kudu"}
	f.Filter.From = longAgo
	r := start(t, f)
	if result := (&webhooktest.Kudu{}).Deliver(t.Context(), "http://"+s.addr+"/hooks/kudu/"+stagingSecret, webhooktest.KuduJobRun()); result.Attempts[0].Status != 202 {
		t.Fatalf("%+v", result)
	}
	if e := r.next(t); e.Status != 202 || got.Count() != 1 {
		t.Errorf("%+v, %d arrived", e, got.Count())
	}
}

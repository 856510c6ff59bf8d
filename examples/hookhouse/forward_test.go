package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const stagingSecret = "d6b1-the-secret-of-staging"

// localEnv has the secrets of the service here, and the password of the inspector of staging.
var localEnv = append([]string{
	"GITHUB_WEBHOOK_SECRET=" + testSecret, "JOBSERV_WEBHOOK_SECRET=" + testSecret, "DOCKERHUB_WEBHOOK_TOKEN=" + testSecret, "KUDU_WEBHOOK_TOKEN=" + testSecret,
}, opsEnv...)

// stagingHooks serves the receivers of staging, which store in the inbox of a rig.
func (r *rig) stagingHooks(t *testing.T) string {
	t.Helper()
	secret := webhook.NewSecret(stagingSecret)
	var mux http.ServeMux
	for pattern, src := range map[string]webhook.Source{
		"/github": github.Source(secret), "/jobserv": jobserv.Source(secret), "/dockerhub/{token}": dockerhub.Source(secret), "/kudu/{token}": kudu.Source(secret),
	} {
		mux.Handle(pattern, webhook.NewReceiver(src, webhook.Store(r.inbox)))
	}
	server := httptest.NewServer(&mux)
	t.Cleanup(server.Close)
	return server.URL
}

// nextForwarded reads a line of forward -json.
func (f *follower) nextForwarded(t *testing.T) (out forwarded) {
	t.Helper()
	if !f.out.Scan() {
		t.Fatalf("forward has ended: %v", f.out.Err())
	}
	if err := json.Unmarshal(f.out.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestForwardCarriesADeliveryOfEachSender: from a service with an inbox on SQLite to another
// with other secrets, where each verifies.
func TestForwardCarriesADeliveryOfEachSender(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	at := r.stagingHooks(t)
	here := newHooks(t)
	f, notes := running(t, localEnv, "forward", "-json", "-since", "1h", "-url", url, "-to", here.URL+"/hooks/{sender}",
		"-to", "dockerhub="+here.at("/hooks/dockerhub/{token}", false), "-to", "kudu="+here.at("/hooks/kudu", true))
	secret := webhook.NewSecret(stagingSecret)
	g := webhooktest.GitHub{Secret: secret}
	j := webhooktest.JobServ{Secret: secret}
	h, k := webhooktest.DockerHub{}, webhooktest.Kudu{}
	for i, tt := range []struct {
		call        func() webhooktest.Result
		sender, typ string
		body        []byte
	}{
		{func() webhooktest.Result {
			return g.Deliver(t.Context(), at+"/github", "push", webhooktest.GitHubPush())
		}, "github", "github.push", webhooktest.GitHubPush()},
		{func() webhooktest.Result { return j.Deliver(t.Context(), at+"/jobserv", webhooktest.JobServBuild()) }, "jobserv", "jobserv.build", webhooktest.JobServBuild()},
		{func() webhooktest.Result {
			return h.Deliver(t.Context(), at+"/dockerhub/"+stagingSecret, webhooktest.DockerHubPush())
		}, "dockerhub", "dockerhub.push", webhooktest.DockerHubPush()},
		{func() webhooktest.Result {
			return k.Deliver(t.Context(), at+"/kudu/"+stagingSecret, webhooktest.KuduDeployment())
		}, "kudu", "kudu.PostDeployment", webhooktest.KuduDeployment()},
	} {
		result := tt.call()
		if result.Attempts[0].Status != http.StatusAccepted {
			t.Fatalf("staging: %+v", result)
		}
		out := f.nextForwarded(t)
		if out.Status != http.StatusAccepted || out.Sender != tt.sender || out.Type != tt.typ || out.Answer == nil {
			t.Fatalf("%+v; notes: %s", out, notes)
		}
		d := here.got.Deliveries()[i]
		want := r.get(t, out.UID).Delivery
		if d.UID != out.Answer.UID || d.Type != tt.typ || d.ID != want.ID || d.OrderingKey != want.OrderingKey || string(d.Body) != string(tt.body) {
			t.Errorf("here arrived %+v, answered %+v", d, out.Answer)
		}
	}
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if got := notes.String(); got != "hookhouse: forward: connected to the service\n4 deliveries accepted, 0 not accepted, 0 not sent\n" || strings.Contains(got, testSecret) {
		t.Errorf("notes: %q", got)
	}
}

// TestForwardSaysWhyTheTargetRefuses: a wrong secret has a hint, once.
func TestForwardSaysWhyTheTargetRefuses(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	here := newHooks(t)
	env := append([]string{"GITHUB_WEBHOOK_SECRET=not-the-secret-here", "KUDU_WEBHOOK_TOKEN=not-the-token-here"}, opsEnv...)
	f, notes := running(t, env, "forward", "-since", "1h", "-url", url, "-to", "github="+here.URL+"/hooks/github", "-to", "kudu="+here.URL+"/hooks/kudu/{token}")
	r.put(t, "github.push", "a")
	r.put(t, "github.push", "b\x1b[2J")
	r.put(t, "kudu.PostDeployment", "c")
	r.put(t, "jobserv.build", "d")
	var lines []string
	for range 5 {
		if !f.out.Scan() {
			t.Fatalf("forward has ended: %s", notes)
		}
		lines = append(lines, f.out.Text())
	}
	for i, want := range []string{"STATUS", "401 Unauthorized", `b\x1b[2J`, "401 Unauthorized", "there is no target for jobserv"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	eventually(t, "the hints", func() bool { return strings.Contains(notes.String(), "KUDU_WEBHOOK_TOKEN") })
	if got := notes.String(); strings.Count(got, "is GITHUB_WEBHOOK_SECRET the secret of the service here?") != 1 || strings.Contains(got, "not-the-") || here.got.Count() > 0 {
		t.Errorf("notes: %s; %d arrived", got, here.got.Count())
	}
}

// TestForwardEndsByCtrlC: also while it waits for a target that is down.
func TestForwardEndsByCtrlC(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	f, notes := running(t, localEnv, "forward", "-since", "1h", "-url", url, "-to", "http://127.0.0.1:1/hooks/github")
	r.put(t, "github.push", "a")
	eventually(t, "it is noted", func() bool { return strings.Contains(notes.String(), "trying again, and what follows waits") })
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Wait(); err != nil || !strings.Contains(notes.String(), "0 deliveries accepted, 0 not accepted, 0 not sent") {
		t.Errorf("%v, %s", err, notes)
	}
}

// TestForwardFilters: what does not match is not sent.
func TestForwardFilters(t *testing.T) {
	r := newRig(t)
	url, _ := r.inspector(t)
	here := newHooks(t)
	f, _ := running(t, localEnv, "forward", "-json", "-since", "1h", "-url", url, "-source", "github", "-type", "github.push", "-key", "a", "-to", here.URL+"/hooks/github")
	for _, typ := range []string{"jobserv.build", "github.release", "github.push"} {
		r.put(t, typ, "a")
		r.put(t, typ, "b")
	}
	last := r.put(t, "github.push", "a")
	var got []string
	for range 2 {
		out := f.nextForwarded(t)
		got = append(got, out.Type+" "+out.Key)
		if out.UID == last && len(got) < 2 {
			break
		}
	}
	if d := cmp.Diff([]string{"github.push a", "github.push a"}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestUsageMistakesOfForward(t *testing.T) {
	const url, here = "http://127.0.0.1:1/", "http://127.0.0.1:1/hooks/github"
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no target", nil, nil, "needs -to"},
		{"no service", localEnv[:4], []string{"-to", here}, "needs a running service: set -url"},
		{"an unknown sender", nil, []string{"-url", url, "-to", "gitlab=" + here}, `unknown sender "gitlab"`},
		{"an unknown sender of all", nil, []string{"-url", url, "-to", here, "-as", "gitlab"}, `-as "gitlab" is none of dockerhub, github`},
		{"a target twice", nil, []string{"-url", url, "-to", "github=" + here, "-to", "github=" + here}, "-to is given twice for github"},
		{"no secret", nil, []string{"-url", url, "-to", "github=" + here}, "there is no secret of github: set GITHUB_WEBHOOK_SECRET or GITHUB_WEBHOOK_SECRET_FILE"},
		{"no secret of the source", nil, []string{"-url", url, "-to", here, "-source", "jobserv"}, "there is no secret of jobserv"},
		{"no secret at all", nil, []string{"-url", url, "-to", here}, "no secret: set the variable of a sender"},
		{"no token", nil, []string{"-url", url, "-to", "kudu=" + here + "/{token}"}, "there is no secret of kudu: set KUDU_WEBHOOK_TOKEN"},
		{"a target elsewhere", localEnv, []string{"-url", url, "-to", "http://192.0.2.1/"}, "set -allow-remote if it is meant"},
		{"a target that is no URL", localEnv, []string{"-url", url, "-to", "localhost:8080"}, "want an http or https URL with a host"},
		{"no time", localEnv, []string{"-url", url, "-to", here, "-timeout", "0s"}, "-timeout must be greater than 0s"},
		{"a UID", localEnv, []string{"-url", url, "-to", here, "00ff"}, `unexpected argument "00ff"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := hookhouse(t, tt.env, append([]string{"forward"}, tt.args...)...)
			if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, tt.says) || strings.Count(got.err, "\n") != 1 || strings.Contains(got.err, testSecret) {
				t.Errorf("exit %d, want 2 and %q:\n%s%s", got.code, tt.says, got.out, got.err)
			}
		})
	}
	if got := hookhouse(t, localEnv, "forward", "-url", url, "-to", here); got.code != exitFailed || !strings.Contains(got.err, "connection refused") {
		t.Errorf("a service that is not there: %+v", got)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it does not hold: %s", what)
		}
	}
}

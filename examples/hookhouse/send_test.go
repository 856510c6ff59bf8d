package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const testSecret = "cb94f0e2-secret-of-the-test"

// A hooks is a server with a Receiver for each sender.
type hooks struct {
	*httptest.Server
	got *webhooktest.Recorder
}

func newHooks(t *testing.T) hooks {
	t.Helper()
	h := hooks{got: new(webhooktest.Recorder)}
	secret := webhook.NewSecret(testSecret)
	var mux http.ServeMux
	receive := func(pattern string, src webhook.Source) { mux.Handle(pattern, webhook.NewReceiver(src, h.got)) }
	receive("/hooks/github", github.Source(secret))
	receive("/hooks/jobserv", jobserv.Source(secret))
	receive("/hooks/dockerhub/{token}", dockerhub.Source(secret))
	receive("/hooks/kudu", kudu.BasicSource(secret))
	receive("/hooks/kudu/{token}", kudu.Source(secret))
	mux.Handle("/login", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	mux.Handle("/moved", http.RedirectHandler("/login", http.StatusFound))
	h.Server = httptest.NewServer(&mux)
	t.Cleanup(h.Close)
	return h
}

// at returns the URL of a path, with {token} before the host if user is true.
func (h hooks) at(path string, user bool) string {
	if user {
		return strings.Replace(h.URL, "http://", "http://hook:{token}@", 1) + path
	}
	return h.URL + path
}

func TestSendSamplesOfAllSenders(t *testing.T) {
	h := newHooks(t)
	for _, tt := range []struct {
		args   []string
		target string
		typ    string
		body   []byte
		calls  int
	}{
		{[]string{"github"}, h.at("/hooks/github", false), "github.push", webhooktest.GitHubPush(), 1},
		{[]string{"github", "-form"}, h.at("/hooks/github", false), "github.push", nil, 1},
		{[]string{"github", "-sample", "pull_request"}, h.at("/hooks/github", false), "github.pull_request", webhooktest.GitHubPullRequest(), 1},
		{[]string{"github", "-sample", "issues"}, h.at("/hooks/github", false), "github.issues", webhooktest.GitHubIssue(), 1},
		{[]string{"jobserv"}, h.at("/hooks/jobserv", false), "jobserv.build", webhooktest.JobServBuild(), 1},
		{[]string{"jobserv", "-sample", "build-failed"}, h.at("/hooks/jobserv", false), "jobserv.build", webhooktest.JobServFailedBuild(), 1},
		{[]string{"dockerhub"}, h.at("/hooks/dockerhub/{token}", false), "dockerhub.push", webhooktest.DockerHubPush(), 1},
		{[]string{"dockerhub", "-calls", "3"}, h.at("/hooks/dockerhub/{token}", false), "dockerhub.push", webhooktest.DockerHubPush(), 3},
		{[]string{"kudu"}, h.at("/hooks/kudu/{token}", false), "kudu.PostDeployment", webhooktest.KuduDeployment(), 1},
		{[]string{"kudu", "-sample", "job"}, h.at("/hooks/kudu", true), "kudu.TriggeredJobFinished", webhooktest.KuduJobRun(), 1},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			before := h.got.Count()
			env := []string{senders[tt.args[0]].variable + "=" + testSecret}
			got := hookhouse(t, env, append(append([]string{"send"}, tt.args...), tt.target)...)
			if got.code != 0 || strings.Contains(got.out+got.err, testSecret) || !strings.Contains(got.out, "202 Accepted") {
				t.Errorf("%+v", got)
			}
			all := h.got.Deliveries()[before:]
			if len(all) != tt.calls {
				t.Fatalf("%d deliveries, want %d", len(all), tt.calls)
			}
			d := all[0]
			if d.Type != tt.typ || tt.body != nil && string(d.Body) != string(tt.body) {
				t.Errorf("got %s with %q", d.Type, d.Body)
			}
			if agent := d.Header.Get("User-Agent"); strings.Contains(agent, "Go-http-client") {
				t.Errorf("User-Agent %q", agent)
			}
		})
	}
}

func TestSendSavedBody(t *testing.T) {
	h := newHooks(t)
	dir := t.TempDir()
	body, secret := filepath.Join(dir, "body.json"), filepath.Join(dir, "secret")
	for name, text := range map[string]string{body: `{"action":"deleted"}` + "\n", secret: testSecret + "\nolder\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
	}{
		{"secret from the variable", []string{"GITHUB_WEBHOOK_SECRET=" + testSecret}, nil},
		{"secret from the file of the variable", []string{"GITHUB_WEBHOOK_SECRET_FILE=" + secret}, nil},
		{"secret from -secret-file", nil, []string{"-secret-file", secret}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"send", "github", h.at("/hooks/github", false), "-event", "star", "-guid", "my-guid", "-body", body, "-json"}, tt.args...)
			got := hookhouse(t, tt.env, args...)
			report := objects[sentReport](t, got.out)[0]
			report.Calls[0].At = report.Calls[0].At.Truncate(1 << 62)
			want := sentReport{
				Sender: "github", Event: "star", GUID: "my-guid", Bytes: 21, Accepted: true, Delivered: true,
				Calls: []sentCall{{At: report.Calls[0].At, Statuses: []int{202}}}, Answers: report.Answers,
			}
			if d := cmp.Diff(want, report); d != "" || got.code != 0 {
				t.Errorf("exit %d %s-want +got\n%s", got.code, got.err, d)
			}
			all := h.got.Deliveries()
			d := all[len(all)-1]
			if d.ID != "my-guid" || d.Type != "github.star" || string(d.Body) != "{\"action\":\"deleted\"}\n" || report.Answers[0].UID != d.UID {
				t.Errorf("got %s %s %q, answers %v", d.ID, d.Type, d.Body, report.Answers)
			}
		})
	}
}

func TestFreshSamplesAreNoDuplicates(t *testing.T) {
	onEachDatabase(t, testFreshSamplesAreNoDuplicates)
}

func testFreshSamplesAreNoDuplicates(t *testing.T, r *rig) {
	secret := webhook.NewSecret(testSecret)
	sources := map[string]webhook.Source{"github": github.Source(secret), "jobserv": jobserv.Source(secret), "kudu": kudu.Source(secret)}
	var mux http.ServeMux
	for name, src := range sources {
		mux.Handle("/"+name+"/{token}", webhook.NewReceiver(src, webhook.Store(r.inbox)))
	}
	server := httptest.NewServer(&mux)
	defer server.Close()
	for _, tt := range []struct{ sender, sample string }{
		{"github", "push"}, {"jobserv", "build"}, {"jobserv", "build-failed"}, {"kudu", "deployment"}, {"kudu", "deployment-failed"}, {"kudu", "job"},
	} {
		env := []string{senders[tt.sender].variable + "=" + testSecret}
		args := []string{"send", tt.sender, "-sample", tt.sample, server.URL + "/" + tt.sender + "/{token}"}
		if !senders[tt.sender].tokenInURL {
			args[4] = server.URL + "/" + tt.sender + "/x"
		}
		for i, want := range []string{"stored as ", "a duplicate of ", "stored as ", "stored as "} {
			if i > 1 {
				args = append(args[:5], "-fresh")
			}
			if got := hookhouse(t, env, args...); got.code != 0 || !strings.Contains(got.out, want) {
				t.Errorf("%v, call %d: want %q: %+v", tt, i+1, want, got)
			}
		}
	}
}

func TestSendReportsWhatDidNotArrive(t *testing.T) {
	h := newHooks(t)
	for _, tt := range []struct {
		name, sender, target, out, err string
	}{
		{"a wrong secret", "github", h.URL + "/hooks/github", "401 Unauthorized", "not accepted: 401 Unauthorized"},
		{"a wrong token, which Kudu does not mind", "kudu", h.URL + "/hooks/kudu/{token}", "the real sender counts this as delivered", "not accepted: 401"},
		{"a page of log in, which JobServ does not mind", "jobserv", h.URL + "/moved", "302 Found, then 200 OK", "redirected, and the body was not sent"},
		{"nobody listens", "dockerhub", "http://127.0.0.1:1/{token}", "connection refused", "connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := hookhouse(t, []string{senders[tt.sender].variable + "=wrong-secret"}, "send", tt.sender, tt.target)
			if got.code != exitFailed || !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.err) {
				t.Errorf("%+v", got)
			}
			if strings.Contains(got.out+got.err, "wrong-secret") {
				t.Errorf("the secret is printed: %+v", got)
			}
		})
	}
	if n := h.got.Count(); n > 0 {
		t.Errorf("%d deliveries", n)
	}
}

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// Secrets of the tests.
const (
	oldSecret  = "old-secret-0123456789"
	newSecret  = "new-secret,0123456789" // a comma may be part of a secret
	fileSecret = "file-secret-0123456789"
	hubToken   = "hub-token-0123456789"
	kuduToken  = "kudu-token-0123456789"
)

func TestDemoPrintsOneLinePerSender(t *testing.T) {
	out, errOut, err := execute(t, nil, "-demo", "-once")
	if err != nil {
		t.Fatalf("%v\n%s", err, errOut)
	}
	want := map[string]string{
		"github.push":         `{"repository":"acme/app","ref":"refs/heads/main","after":"9f3c1d7a5b2e4f60817293a4b5c6d7e8f9012345","commits":1,"pusher":"janeroe"}`,
		"dockerhub.push":      `{"image":"acme/app:1.4.0","pusher":"acmebot","pushed_at":"2026-03-02T09:15:30Z"}`,
		"jobserv.build":       `{"project":"acme/app","build_id":41,"status":"PASSED","runs":2,"passed":2,"trigger":"build-main"}`,
		"kudu.PostDeployment": `{"deployment":"9f3c1d7a5b2e4f60817293a4b5c6d7e8f9012345","status":"success","author":"Jane Roe","site":"app.scm.azurewebsites.net","end_time":"2026-03-02T09:21:07Z"}`,
	}
	for _, l := range lines(t, out) {
		if got := string(l.Summary); got != want[l.Type] || l.Msg != "delivery" || l.Attempt != 1 {
			t.Errorf("line %+v with summary %s, want %s", l, got, want[l.Type])
		}
		delete(want, l.Type)
	}
	if len(want) > 0 {
		t.Errorf("never printed: %v\n%s", want, errOut)
	}
}

func TestSecondDemoOnSameDatabaseFindsDuplicates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.db")
	if _, errOut, err := execute(t, nil, "-demo", "-once", "-db", file); err != nil {
		t.Fatalf("%v\n%s", err, errOut)
	}
	out, errOut, err := execute(t, nil, "-demo", "-once", "-db", file)
	if err != nil {
		t.Fatalf("%v\n%s", err, errOut)
	}
	if n := strings.Count(errOut, "sample is a duplicate"); n != 3 {
		t.Errorf("%d duplicates, want 3:\n%s", n, errOut)
	}
	// Docker Hub's calls have no id, so a repeated one is not a duplicate.
	if l := lines(t, out); len(l) != 1 || l[0].Type != "dockerhub.push" {
		t.Errorf("ran again: %s", out)
	}
}

func TestAcknowledgedDeliverySurvivesKill(t *testing.T) {
	dir := t.TempDir()
	env := []string{"DOCKERHUB_WEBHOOK_TOKEN=" + hubToken}
	args := []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "test.db")}
	p := start(t, env, args...)
	// A delivery waits for the end of its burst, so the kill comes before it is handled.
	var hub webhooktest.DockerHub
	if sent := hub.Deliver(t.Context(), p.url+"/hooks/dockerhub/"+hubToken, webhooktest.DockerHubPush()); !sent.Delivered {
		t.Fatalf("not delivered: %+v", sent)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if p.out.Scan() {
		t.Fatalf("was handled before the kill: %s", p.out.Text())
	}
	<-p.done
	_ = p.cmd.Wait()

	again := start(t, env, args...)
	if l := again.next(t); l.Type != "dockerhub.push" || l.OrderingKey != "acme/app:1.4.0" {
		t.Errorf("after the kill: %+v", l)
	}
	if err := again.stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

func TestReceiveFromEverySenderWithSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(fileSecret+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, []string{
		"GITHUB_WEBHOOK_SECRET=" + oldSecret + "\n" + newSecret, "JOBSERV_WEBHOOK_SECRET_FILE=" + file, "KUDU_WEBHOOK_TOKEN=" + kuduToken,
	}, "-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"))

	gh := webhooktest.GitHub{Secret: webhook.NewSecret(newSecret)}
	first := gh.Deliver(t.Context(), p.url+"/hooks/github", "push", webhooktest.GitHubPush())
	form := webhooktest.GitHub{Secret: webhook.NewSecret(oldSecret), Form: true}
	ping := form.Deliver(t.Context(), p.url+"/hooks/github", "ping", webhooktest.GitHubPing())
	js := webhooktest.JobServ{Secret: webhook.NewSecret(fileSecret)}
	build := js.Deliver(t.Context(), p.url+"/hooks/jobserv", webhooktest.JobServBuild())
	var kd webhooktest.Kudu
	withUser := strings.Replace(p.url, "http://", "http://hook:"+kuduToken+"@", 1)
	deployed := kd.Deliver(t.Context(), withUser+"/hooks/kudu", webhooktest.KuduDeployment())
	if !first.Delivered || !ping.Delivered || !build.Delivered || !deployed.Delivered || deployed.Attempts[0].Status != http.StatusAccepted {
		t.Fatalf("not delivered: %+v %+v %+v %+v\n%s", first, ping, build, deployed, p.log)
	}
	got := map[string]line{}
	for range 4 {
		l := p.next(t)
		got[l.Type] = l
	}
	for _, typ := range []string{"github.push", "github.ping", "jobserv.build", "kudu.PostDeployment"} {
		if _, ok := got[typ]; !ok {
			t.Errorf("no line for %s in %v", typ, got)
		}
	}
	if got["github.push"].ID != first.GUID || got["github.push"].OrderingKey != "acme/app refs/heads/main" {
		t.Errorf("push line %+v, want id %s", got["github.push"], first.GUID)
	}

	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"health", "GET", "/healthz", 200},
		{"a wrong method", "GET", "/hooks/github", 405},
		{"no signature", "POST", "/hooks/github", 401},
		{"a wrong token", "POST", "/hooks/kudu/wrong-token-0123456", 401},
		{"a sender without a secret", "POST", "/hooks/dockerhub/some-token", 404},
		{"no sender", "POST", "/hooks/", 404},
		{"a misspelled path", "POST", "/hook/github", 404},
	} {
		if got := status(t, tt.method, p.url+tt.path); got != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.status)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	log := p.log.String()
	for _, want := range []string{
		"not mounted: no secret", "path=/hooks/dockerhub/...", "path=/hook/github",
		"name=GITHUB_WEBHOOK_SECRET live=2", "name=JOBSERV_WEBHOOK_SECRET live=1",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not contain %q:\n%s", want, log)
		}
	}
	for _, secret := range []string{kuduToken, oldSecret, newSecret, fileSecret, "wrong-token", "some-token"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

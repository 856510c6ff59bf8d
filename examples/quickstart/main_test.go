package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// program is the built quickstart.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "quickstart")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

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
	env := []string{"DOCKERHUB_WEBHOOK_TOKEN=token"}
	args := []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "test.db")}
	p := start(t, env, args...)
	// A delivery waits for the end of its burst, so the kill comes before it is handled.
	var hub webhooktest.DockerHub
	if sent := hub.Deliver(t.Context(), p.url+"/hooks/dockerhub/token", webhooktest.DockerHubPush()); !sent.Delivered {
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

func TestInvalidStart(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no secret at all", nil, nil, "export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)"},
		{"a secret twice", []string{"KUDU_WEBHOOK_TOKEN=a", "KUDU_WEBHOOK_TOKEN_FILE=b"}, nil, "both KUDU_WEBHOOK_TOKEN and KUDU_WEBHOOK_TOKEN_FILE"},
		{"an empty secret in the list", []string{"KUDU_WEBHOOK_TOKEN=a,,b"}, nil, "KUDU_WEBHOOK_TOKEN holds an empty secret"},
		{"white space in the list", []string{"KUDU_WEBHOOK_TOKEN=a, b"}, nil, "surrounded by white space"},
		{"an empty secret file", []string{"KUDU_WEBHOOK_TOKEN_FILE=" + empty}, nil, "KUDU_WEBHOOK_TOKEN holds an empty secret"},
		{"a missing secret file", []string{"KUDU_WEBHOOK_TOKEN_FILE=/nowhere"}, nil, "/nowhere"},
		{"an unknown flag", nil, []string{"-x"}, "-x"},
		{"an argument", nil, []string{"-demo", "x"}, "only flags are accepted"},
		{"once without demo", nil, []string{"-once"}, "-once only with -demo"},
		{"a demo on all interfaces", nil, []string{"-demo", "-addr", ":0"}, "publicly known secrets"},
		{"a database in a missing folder", []string{"KUDU_WEBHOOK_TOKEN=a"}, []string{"-db", "/nowhere/x.db"}, "-db: "},
		{"an invalid address", []string{"KUDU_WEBHOOK_TOKEN=a"}, []string{"-addr", "nowhere"}, "nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errOut, err := execute(t, tt.env, tt.args...)
			if err == nil || !strings.Contains(errOut, tt.says) || out != "" {
				t.Errorf("%v, stdout %q, stderr %s, want an error with %q", err, out, errOut, tt.says)
			}
		})
	}
}

func TestReceiveFromEverySenderWithSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-a-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, []string{
		"GITHUB_WEBHOOK_SECRET=old,new", "JOBSERV_WEBHOOK_SECRET_FILE=" + file, "KUDU_WEBHOOK_TOKEN=kudu-token",
	}, "-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"))

	gh := webhooktest.GitHub{Secret: webhook.NewSecret("new")}
	first := gh.Deliver(t.Context(), p.url+"/hooks/github", "push", webhooktest.GitHubPush())
	form := webhooktest.GitHub{Secret: webhook.NewSecret("old"), Form: true}
	ping := form.Deliver(t.Context(), p.url+"/hooks/github", "ping", webhooktest.GitHubPing())
	js := webhooktest.JobServ{Secret: webhook.NewSecret("from-a-file")}
	build := js.Deliver(t.Context(), p.url+"/hooks/jobserv", webhooktest.JobServBuild())
	var kd webhooktest.Kudu
	withUser := strings.Replace(p.url, "http://", "http://hook:kudu-token@", 1)
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
		{"a wrong token", "POST", "/hooks/kudu/wrong-token", 401},
		{"a sender without a secret", "POST", "/hooks/dockerhub/some-token", 404},
		{"no sender", "POST", "/hooks/", 404},
	} {
		if got := status(t, tt.method, p.url+tt.path); got != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.status)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	log := p.log.String()
	if !strings.Contains(log, "not mounted: no secret") || !strings.Contains(log, "/hooks/dockerhub/...") {
		t.Errorf("the log does not name the sender that is not mounted:\n%s", log)
	}
	for _, secret := range []string{"kudu-token", "wrong-token", "some-token", "from-a-file"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

// A printedLine is a line whose summary is not decoded.
type printedLine struct {
	line
	Summary json.RawMessage `json:"summary"`
}

func lines(t *testing.T, out string) []printedLine {
	t.Helper()
	var all []printedLine
	for text := range strings.Lines(out) {
		var l printedLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("stdout has %q: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}

// execute runs the program until it exits.
func execute(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir() // the default folder of hookhouse.db
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// A process is a running quickstart.
type process struct {
	cmd  *exec.Cmd
	url  string
	out  *bufio.Scanner
	log  *bytes.Buffer // complete after stop
	done chan struct{} // closed when log is complete
}

// start starts the program, waits until it listens, and leaves it running until
// stop.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, env, args...), log: new(bytes.Buffer), done: make(chan struct{})}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(stdout)
	listening := make(chan string, 1)
	go func() {
		defer close(p.done)
		defer close(listening)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.log.WriteString(s.Text() + "\n")
			if _, url, ok := strings.Cut(s.Text(), "msg=listening url="); ok {
				listening <- url
			}
		}
	}()
	var ok bool
	if p.url, ok = <-listening; !ok {
		t.Fatalf("did not listen:\n%s", p.log)
	}
	return p
}

// next returns the next line of standard output.
func (p *process) next(t *testing.T) line {
	t.Helper()
	if !p.out.Scan() {
		t.Fatalf("no more output: %v", p.out.Err())
	}
	return lines(t, p.out.Text())[0].line
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-p.done
	return p.cmd.Wait()
}

func status(t *testing.T, method, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

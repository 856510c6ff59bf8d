package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// Comments pass through RabbitMQ, and what it refuses is said in one line.
func TestCommentsPassThroughRabbitMQ(t *testing.T) {
	t.Parallel()
	node, err := startRabbitMQ()
	stop := func() {}
	if err == nil {
		defer node.stop()
		stop, err = startPostgres()
	}
	switch missing := errors.Is(err, errNoRabbitMQ) || errors.Is(err, errNoPostgres); {
	case missing && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests of guestbook on", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	defer stop()
	testComments(t, node)
}

// testRefusals requires that a start and a check end with one line that names the setting.
func testRefusals(t *testing.T, node *rabbitNode) {
	good := node.url("guest", "/")
	if out, err := execute(t, t.TempDir(), nil, "-declare", "-amqp", good, "-queue", "here"); err != nil || !strings.Contains(out, "queue=here") {
		t.Fatalf("-declare: %v: %s", err, out)
	}
	for _, tt := range []struct{ url, queue, says string }{
		{node.url("wr0ng", "/"), "here", "username or password not allowed"},
		{node.url("guest", "nowhere"), "here", "nowhere"},
		{good, "elsewhere", "-queue: rabbitmq: no such queue: \"elsewhere\""},
		{good, "nowhere", "; create the queues: guestbook -declare -queue nowhere"},
	} {
		for mode, env := range map[string][]string{"-check": nil, "-web": {brokerName + "=" + tt.url}, "-worker": {brokerName + "=" + tt.url}} {
			args, setting := []string{"-db", postgresURL, "-addr", "127.0.0.1:0", "-queue", tt.queue, mode}, brokerName
			if env == nil {
				args, setting = append(args, "-amqp", tt.url), "-amqp"
			}
			out, err := execute(t, t.TempDir(), append(env, passwordName+"="+secret), args...)
			last := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
			named := strings.HasPrefix(last, "guestbook: "+setting+": ") || strings.HasPrefix(last, "guestbook: -queue: ")
			if err == nil || !named || !strings.Contains(last, tt.says) || strings.Contains(out, "wr0ng") {
				t.Errorf("%s, %s: %v, the output is %s", tt.says, mode, err, out)
			}
		}
	}
	if out, err := execute(t, t.TempDir(), []string{passwordName + "=" + secret}, "-check", "-db", postgresURL, "-amqp", good, "-queue", "here"); err != nil {
		t.Errorf("-check: %v: %s", err, out)
	}
}

// A sender is a process with -worker.
type sender struct {
	cmd   *exec.Cmd
	admin string
	ended chan struct{} // closed when it has written all
}

// startSender starts a process with -worker and waits until it works.
func startSender(t *testing.T, env []string, args ...string) *sender {
	t.Helper()
	s := &sender{cmd: exec.CommandContext(t.Context(), program, append([]string{"-worker", "-admin-addr", "127.0.0.1:0"}, args...)...), ended: make(chan struct{})}
	s.cmd.Dir, s.cmd.Env = t.TempDir(), env
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := bufio.NewScanner(stderr)
	for s.admin == "" && log.Scan() {
		_, s.admin, _ = strings.Cut(log.Text(), "listening admin=")
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(io.Discard, stderr)
	}()
	requireHealth(t, s.admin, http.StatusOK)
	return s
}

// end sends a signal and waits for the process.
func (s *sender) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if err := s.cmd.Wait(); err != nil && signal == syscall.SIGTERM {
		t.Error(err)
	}
}

// requireHealth waits until /healthz has a status.
func requireHealth(t *testing.T, at string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s/healthz with %d", at, want), func() bool {
		res, err := http.Get(at + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode == want
	})
}

// A gate is a receiver that answers no request before open is called.
type gate struct {
	url    string
	opened chan struct{}

	mu  sync.Mutex
	ids []string // the Webhook-Id of each request
}

func newGate(t *testing.T) *gate {
	g := &gate{opened: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the end of the connection is noticed after it
		g.mu.Lock()
		g.ids = append(g.ids, r.Header.Get("Webhook-Id"))
		g.mu.Unlock()
		select {
		case <-g.opened:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

func (g *gate) received() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.ids)
}

// inQueue returns how many messages a queue has that nobody has taken.
func inQueue(t *testing.T, node *rabbitNode, queue string) int {
	t.Helper()
	conn, err := amqp.Dial(node.url("guest", "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}

// remembered waits until the server knows the queue after a kill.
func remembered(t *testing.T, node *rabbitNode, queue string) {
	t.Helper()
	for _, name := range []string{queue, rabbitmq.DeadQueue(queue)} {
		eventually(t, "a file that names "+name, func() bool { return node.remembers(name) })
	}
}

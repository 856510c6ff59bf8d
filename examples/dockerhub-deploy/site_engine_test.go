//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A site is the built program on a Docker Engine, with a repository and a prefix of
// container names of its own, so that sites can share an engine.
type site struct {
	t          *testing.T
	rig        *engineRig
	engine     *dockerd
	dir        string
	name       string // of the container, and a prefix of the names of all others
	repository string
	addr       string // of the program
	port       string // for the container

	args    []string
	env     []string
	program *exec.Cmd
	done    chan struct{}
	watched watched
	mu      sync.Mutex
	log     bytes.Buffer
}

var sites atomic.Int64

// engineTimeout is the timeout of all waits. Nothing is faster because of it.
const engineTimeout = 4 * time.Minute

// newSite returns a site with a rule for the tag latest. Its arguments follow those
// of every site.
func newSite(t *testing.T, rig *engineRig, engine *dockerd, args ...string) *site {
	t.Helper()
	s := &site{t: t, rig: rig, engine: engine, dir: t.TempDir()}
	s.watched.dir = s.dir
	s.name = fmt.Sprintf("web%03d", sites.Add(1))
	s.repository = "acme/" + s.name
	s.addr, s.port = freeAddr(t), freeAddr(t)
	s.port = s.port[strings.LastIndexByte(s.port, ':')+1:]
	s.args = append([]string{
		"-addr=" + s.addr, "-db=" + filepath.Join(s.dir, "test.db"), "-registry=" + rig.hub.addr,
		"-quiet-period=100ms", "-min-uptime=1s", "-health-timeout=20s", "-lease=5s", "-registry-retry=200ms",
	}, args...)
	s.writeWrapper()
	s.env = []string{
		"PATH=" + s.dir + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "DOCKER_CONFIG=" + rig.config, "DOCKER_HOST=" + engine.host(),
		"DOCKERHUB_WEBHOOK_TOKEN=" + token,
	}
	t.Cleanup(func() {
		if s.program != nil {
			_ = s.program.Process.Kill()
			<-s.done
		}
		s.watched.close()
		if t.Failed() {
			t.Logf("log of the program:\n%s\ndocker commands:\n%s\ncontainers:\n%s", s.logText(), s.read("calls"), s.describe())
		}
		s.engine.removeContainers(s.name)
		rig.hub.answer(s.repository, nil)
	})
	return s
}

// freeAddr returns a loopback address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// declare writes the file of options of the container, and adds the rule for it.
func (s *site) declare(options ...string) {
	s.t.Helper()
	s.declareAs(s.name, s.repository+":latest", append([]string{"--network host", "--env APP_ADDR=127.0.0.1:" + s.port}, options...)...)
}

// declareAs writes a file of options for a container, and adds the rule for it.
func (s *site) declareAs(container, image string, options ...string) {
	s.t.Helper()
	s.writeOptions(container, options...)
	s.args = append(s.args, "-watch="+image+"=run:"+container+".options")
}

func (s *site) writeOptions(container string, options ...string) {
	s.t.Helper()
	s.write(container+".options", "# "+container+"\n--name "+container+"\n"+strings.Join(options, "\n")+"\n")
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// read returns a file of the site, or nothing if it does not exist.
func (s *site) read(name string) string {
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !os.IsNotExist(err) {
		s.t.Error(err)
	}
	return string(text)
}

// push pushes an image as the tag latest and returns its digest.
func (s *site) push(version string, health *v1.HealthConfig, env ...string) string {
	s.t.Helper()
	return s.rig.hub.push(s.t, s.repository, "latest", s.image(version, health, env...))
}

// image makes an image that no other site has: the engine does not ask for an image that
// it knows from another repository.
func (s *site) image(version string, health *v1.HealthConfig, env ...string) v1.Image {
	s.t.Helper()
	return s.rig.image(s.t, appImage{version, append(env, "APP_SITE="+s.name), health})
}

// call calls the program as Docker Hub does after a push of the tag.
func (s *site) call(tag string) {
	s.t.Helper()
	body := fmt.Appendf(nil, `{"push_data":{"pushed_at":1714564800,"pusher":"acmebot","tag":%q},`+
		`"callback_url":"http://127.0.0.1:1/","repository":{"repo_name":%q,"name":%q,"namespace":"acme","owner":"acme","status":"Active"}}`,
		tag, s.repository, s.name)
	sender := webhooktest.DockerHub{Calls: 2}
	if result := sender.Deliver(s.t.Context(), "http://"+s.addr+"/hooks/dockerhub/"+token, body); !result.Delivered {
		s.t.Fatalf("the push is not accepted: %+v", result)
	}
}

// start starts the program and waits until it listens.
func (s *site) start(more ...string) {
	s.t.Helper()
	s.program = exec.Command(filepath.Join(bin, "program.plain"), append(s.args[:len(s.args):len(s.args)], more...)...)
	s.program.Dir, s.program.Env = s.dir, s.env
	out := writer(func(p []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.log.Write(p)
	})
	s.program.Stdout, s.program.Stderr = out, out
	if err := s.program.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(p *exec.Cmd, done chan struct{}) {
		_ = p.Wait()
		close(done)
	}(s.program, s.done)
	s.until("the program to listen", func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = conn.Close()
		} else if s.exited() {
			s.t.Fatal("the program has ended")
		}
		return err == nil
	})
}

func (s *site) exited() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// end ends the program with a signal.
func (s *site) end(signal syscall.Signal) {
	s.t.Helper()
	if err := s.program.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	s.until("the program to end", s.exited)
}

func (s *site) logText() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// countLog returns how often the log has a text.
func (s *site) countLog(text string) int { return strings.Count(s.logText(), text) }

// until waits until a condition is true.
func (s *site) until(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), engineTimeout)
	defer cancel()
	if err := pollUntil(ctx, what, holds); err != nil {
		s.t.Fatal(err)
	}
}

// idle waits until no delivery is unfinished.
func (s *site) idle() {
	s.t.Helper()
	s.until("all deliveries to finish", func() bool { return s.watched.idle(s.t) })
}

// untilLog waits until the log has a text n times.
func (s *site) untilLog(text string, n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d times %q in the log", n, text), func() bool { return s.countLog(text) >= n })
}

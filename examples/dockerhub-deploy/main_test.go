package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	hub "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// bin is a folder with the fake docker and the program. The program is built with
// the flags of the tests and, as program.plain, without the race detector, which
// makes it start slowly.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "dockerhub-deploy"); err != nil {
		log.Fatal(err)
	}
	for _, b := range []struct {
		out, pkg string
		flags    []string
	}{{"program", ".", buildFlags}, {"program.plain", ".", nil}, {"docker", "./testdata/docker", nil}} {
		build := exec.Command("go", append(append([]string{"build"}, b.flags...), "-o", filepath.Join(bin, b.out), b.pkg)...)
		if text, err := build.CombinedOutput(); err != nil {
			log.Fatalf("%v\n%s", err, text)
		}
	}
	// The tests wait most of the time, so more of them run in parallel than there are
	// processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	_ = os.RemoveAll(bin)
	os.Exit(code)
}

const token = "4f1d2c3b5a69788796a5b4c3d2e1f00f"

// waitTimeout is the timeout of all waits in tests.
const waitTimeout = 3 * time.Minute

// A host is a machine with the fake docker and the program, and a registry.
type host struct {
	t        *testing.T
	dir      string
	registry *httptest.Server
	down     atomic.Bool // the registry breaks connections

	build   string // the binary in bin
	args    []string
	env     []string
	program *exec.Cmd
	done    chan struct{}
	url     string
	mu      sync.Mutex
	log     bytes.Buffer
}

func newHost(t *testing.T, args ...string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), build: "program"}
	images := hub.New(hub.Logger(log.New(io.Discard, "", 0)))
	h.registry = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.down.Load() {
			panic(http.ErrAbortHandler)
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(h.registry.Close)
	h.registry.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.args = append([]string{"-addr=127.0.0.1:0", "-db=" + filepath.Join(h.dir, "test.db"), "-registry=" + h.registryHost(),
		"-quiet-period=300ms", "-min-uptime=600ms", "-health-timeout=20s", "-lease=4s"}, args...)
	h.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + h.dir, "DOCKER_CONFIG=" + h.dir, "DOCKER_FAKE_DIR=" + h.dir,
		"DOCKERHUB_WEBHOOK_TOKEN=" + token}
	t.Cleanup(func() {
		if h.program != nil {
			_ = h.program.Process.Kill()
			<-h.done
		}
		if t.Failed() {
			t.Logf("log of the program:\n%s\ndocker commands:\n%s", h.logText(), h.read("calls"))
		}
	})
	return h
}

func (h *host) registryHost() string { return strings.TrimPrefix(h.registry.URL, "http://") }
func (h *host) repository() string   { return h.registryHost() + "/acme/app" }

// An app describes how a container of an image behaves.
type app struct {
	health string // see testdata/docker: healthy, unhealthy, exits
	bare   bool   // without a health check
	env    []string
}

// pushImage pushes an image to the registry and returns its digest.
func (h *host) pushImage(tag string, a app) string {
	h.t.Helper()
	img, err := random.Image(256, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	cfg := v1.Config{Labels: map[string]string{"fake.health": a.health, "version": tag}, Env: append([]string{"PATH=/bin"}, a.env...), Cmd: []string{"/app"}}
	if !a.bare {
		cfg.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "/app", "check"}}
	}
	img, err = mutate.Config(img, cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ref, err := name.NewTag(h.repository() + ":" + tag)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		h.t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		h.t.Fatal(err)
	}
	return digest.String()
}

// startContainer pushes an image and starts a container of it.
func (h *host) startContainer(container, tag string, flags ...string) string {
	h.t.Helper()
	digest := h.pushImage(tag, app{health: "healthy"})
	image := h.repository() + ":" + tag
	h.docker("pull", image)
	h.docker(append(append([]string{"create", "--name=" + container}, flags...), image)...)
	h.docker("start", container)
	return digest
}

// docker runs the fake docker.
func (h *host) docker(args ...string) string {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(bin, "docker"), args...)
	cmd.Env = []string{"DOCKER_FAKE_DIR=" + h.dir}
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v", out, err)
	}
	return string(out)
}

// A fault makes the fake docker fail once: see testdata/docker/main.go.
type fault struct{ Command, When, Do string }

func (h *host) injectFaults(faults ...fault) {
	h.t.Helper()
	text, err := json.Marshal(faults)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "faults.json"), text, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// start starts the program and waits until it listens.
func (h *host) start() {
	h.t.Helper()
	h.program = exec.Command(filepath.Join(bin, h.build), h.args...)
	h.program.Dir, h.program.Env = h.dir, h.env
	ready := make(chan string, 1)
	h.program.Stderr = writer(func(p []byte) (int, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, rest, ok := strings.Cut(string(p), "msg=listening url="); ok {
			ready <- strings.TrimSpace(rest)
		}
		return h.log.Write(p)
	})
	if err := h.program.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.done = make(chan struct{})
	go func() {
		_ = h.program.Wait()
		close(h.done)
	}()
	select {
	case h.url = <-ready:
	case <-h.done:
		h.t.Fatal("the program does not listen")
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func (h *host) logText() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// terminate sends SIGTERM and returns the exit code.
func (h *host) terminate() int {
	h.t.Helper()
	if err := h.program.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	h.waitUntil("the program to exit", func() bool { return h.exited() })
	return h.program.ProcessState.ExitCode()
}

func (h *host) exited() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// deliverPush sends a push to the program, as Docker Hub does, and requires that it
// is accepted.
func (h *host) deliverPush(tag string, calls int) {
	h.t.Helper()
	if !h.sendPush(token, tag, calls).Delivered {
		h.t.Fatal("h.sendPush(token, tag, calls).Delivered is false, want true")
	}
}

func (h *host) sendPush(token, tag string, calls int) webhooktest.Result {
	body := fmt.Appendf(nil, `{"push_data":{"pushed_at":1714564800,"pusher":"acmebot","tag":%q},`+
		`"callback_url":"%s/callback","repository":{"repo_name":"acme/app","name":"app","namespace":"acme","owner":"acme","status":"Active"}}`, tag, h.registry.URL)
	sender := webhooktest.DockerHub{Calls: calls}
	return sender.Deliver(h.t.Context(), h.url+"/hooks/dockerhub/"+token, body)
}

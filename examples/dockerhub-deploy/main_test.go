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
	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// bin holds the stand-in for docker and the program, built as the tests are and,
// as program.plain, without the race detector, with which it starts slowly.
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
	// The tests wait most of the time, so more run at once than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	_ = os.RemoveAll(bin)
	os.Exit(code)
}

const token = "4f1d2c3b5a69788796a5b4c3d2e1f00f"

// patience bounds every wait of the tests.
const patience = 3 * time.Minute

// A host is a machine with Docker and the program, and a registry beside it.
type host struct {
	t        *testing.T
	dir      string
	registry *httptest.Server
	down     atomic.Bool // the registry breaks connections

	build   string // of the program
	args    []string
	env     []string
	program *exec.Cmd
	ended   chan struct{}
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
		"-quiet=300ms", "-steady=600ms", "-healthy-within=20s", "-lease=4s"}, args...)
	h.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + h.dir, "DOCKER_CONFIG=" + h.dir, "DOCKER_STANDIN=" + h.dir,
		"DOCKERHUB_WEBHOOK_TOKEN=" + token}
	t.Cleanup(func() {
		if h.program != nil {
			_ = h.program.Process.Kill()
			<-h.ended
		}
		if t.Failed() {
			t.Logf("log of the program:\n%s\ncalls of docker:\n%s", h.logged(), h.read("calls"))
		}
	})
	return h
}

func (h *host) registryHost() string { return strings.TrimPrefix(h.registry.URL, "http://") }
func (h *host) repository() string   { return h.registryHost() + "/acme/app" }

// An app is what an image does when it is started.
type app struct {
	health string // of the stand-in: healthy, unhealthy, exits
	bare   bool   // no health check
	env    []string
}

// push pushes an image to the registry and returns its digest.
func (h *host) push(tag string, a app) string {
	h.t.Helper()
	img, err := random.Image(256, 1)
	require.NoError(h.t, err)
	cfg := v1.Config{Labels: map[string]string{"standin.health": a.health, "version": tag}, Env: append([]string{"PATH=/bin"}, a.env...), Cmd: []string{"/app"}}
	if !a.bare {
		cfg.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "/app", "check"}}
	}
	img, err = mutate.Config(img, cfg)
	require.NoError(h.t, err)
	ref, err := name.NewTag(h.repository() + ":" + tag)
	require.NoError(h.t, err)
	require.NoError(h.t, remote.Write(ref, img))
	digest, err := img.Digest()
	require.NoError(h.t, err)
	return digest.String()
}

// running pushes an image and starts a container of it, as a person would.
func (h *host) running(container, tag string, flags ...string) string {
	h.t.Helper()
	digest := h.push(tag, app{health: "healthy"})
	image := h.repository() + ":" + tag
	h.docker("pull", image)
	h.docker(append(append([]string{"create", "--name=" + container}, flags...), image)...)
	h.docker("start", container)
	return digest
}

// docker runs the stand-in.
func (h *host) docker(args ...string) string {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(bin, "docker"), args...)
	cmd.Env = []string{"DOCKER_STANDIN=" + h.dir}
	out, err := cmd.CombinedOutput()
	require.NoError(h.t, err, "%s", out)
	return string(out)
}

// A fault is what the stand-in does wrong, once: see testdata/docker/main.go.
type fault struct{ Command, When, Do string }

func (h *host) fault(faults ...fault) {
	h.t.Helper()
	text, err := json.Marshal(faults)
	require.NoError(h.t, err)
	require.NoError(h.t, os.WriteFile(filepath.Join(h.dir, "faults.json"), text, 0o600))
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
	require.NoError(h.t, h.program.Start())
	h.ended = make(chan struct{})
	go func() {
		_ = h.program.Wait()
		close(h.ended)
	}()
	select {
	case h.url = <-ready:
	case <-h.ended:
		h.t.Fatal("did not listen")
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func (h *host) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// terminate sends SIGTERM and returns the exit code.
func (h *host) terminate() int {
	h.t.Helper()
	require.NoError(h.t, h.program.Process.Signal(syscall.SIGTERM))
	h.wait("the end of the program", func() bool { return h.hasEnded() })
	return h.program.ProcessState.ExitCode()
}

func (h *host) hasEnded() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// hub tells the program of a push, as Docker Hub does.
func (h *host) hub(tag string, calls int) {
	h.t.Helper()
	require.True(h.t, h.call(token, tag, calls).Delivered)
}

func (h *host) call(token, tag string, calls int) webhooktest.Result {
	body := fmt.Appendf(nil, `{"push_data":{"pushed_at":1714564800,"pusher":"acmebot","tag":%q},`+
		`"callback_url":"%s/callback","repository":{"repo_name":"acme/app","name":"app","namespace":"acme","owner":"acme","status":"Active"}}`, tag, h.registry.URL)
	sender := webhooktest.DockerHub{Calls: calls}
	return sender.Deliver(h.t.Context(), h.url+"/hooks/dockerhub/"+token, body)
}

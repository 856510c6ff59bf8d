package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	hub "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A host is a machine with the fake docker and the program, and a registry.
type host struct {
	t        *testing.T
	dir      string
	registry *httptest.Server
	images   http.Handler                     // of the registry
	answer   atomic.Pointer[http.HandlerFunc] // if not nil, instead of the registry

	args    []string
	env     []string
	program *exec.Cmd
	done    chan struct{}
	watched watched
	url     string
	mu      sync.Mutex
	log     bytes.Buffer
}

func newHost(t *testing.T, args ...string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir()}
	h.watched.dir = h.dir
	h.images = hub.New(hub.Logger(log.New(io.Discard, "", 0)))
	h.registry = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := h.answer.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		h.images.ServeHTTP(w, r)
	}))
	t.Cleanup(h.registry.Close)
	h.args = append([]string{"-addr=127.0.0.1:0", "-db=" + filepath.Join(h.dir, "test.db"), "-registry=" + h.registryHost(),
		"-quiet-period=300ms", "-min-uptime=600ms", "-health-timeout=20s", "-lease=8s", "-registry-retry=300ms"}, args...)
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
		h.watched.close()
		// A command of the program may still run, and write a file.
		for late := time.Now().Add(waitTimeout); os.RemoveAll(h.dir) != nil && time.Now().Before(late); {
			runtime.Gosched()
		}
	})
	return h
}

// newRunHost returns a host with the container web, which a file declares.
func newRunHost(t *testing.T, rule string, options ...string) *host {
	t.Helper()
	h := newHost(t, "-watch", rule+"=run:web.options")
	h.declare("web", options...)
	return h
}

func (h *host) declare(container string, options ...string) {
	h.t.Helper()
	h.write(container+".options", "--name "+container+"\n"+strings.Join(options, "\n")+"\n")
}

func (h *host) registryHost() string { return strings.TrimPrefix(h.registry.URL, "http://") }
func (h *host) repository() string   { return h.registryHost() + "/acme/app" }

// setDown makes the registry break connections, or answer again.
func (h *host) setDown(down bool) {
	h.answer.Store(nil)
	if down {
		h.answer.Store(new(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })))
	}
}

// deny makes the registry deny what the method asks of an image, or answer again if it is "".
func (h *host) deny(method string, status int) {
	h.answer.Store(nil)
	if method != "" {
		h.answer.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method && strings.Contains(r.URL.Path, "/manifests/") {
				w.WriteHeader(status)
				return
			}
			h.images.ServeHTTP(w, r)
		})))
	}
}

// push pushes an image to the registry and returns its digest. Its health says how a
// container behaves: see testdata/docker.
func (h *host) push(tag, health string) string {
	h.t.Helper()
	img, err := random.Image(256, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	cfg := v1.Config{Labels: map[string]string{"fake.health": health}, Env: []string{"PATH=/bin"}, Cmd: []string{"/app"}}
	if health != "exits" {
		cfg.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "/app", "check"}}
	}
	if img, err = mutate.Config(img, cfg); err != nil {
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

// docker runs the fake docker.
func (h *host) docker(args ...string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(bin, "docker"), args...)
	cmd.Env = []string{"DOCKER_FAKE_DIR=" + h.dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %v", out, err)
	}
}

// A fault makes the fake docker fail once: see testdata/docker/main.go.
type fault struct{ Command, When, Do string }

func (h *host) inject(faults ...fault) {
	h.t.Helper()
	text, err := json.Marshal(faults)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("faults.json", string(text))
}

func (h *host) write(file, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, file), []byte(text), 0o700); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) read(file string) string {
	text, err := os.ReadFile(filepath.Join(h.dir, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Error(err)
	}
	return string(text)
}

// start starts the program and waits until it listens.
func (h *host) start(args ...string) {
	h.t.Helper()
	h.program = exec.Command(filepath.Join(bin, "program"), append(h.args[:len(h.args):len(h.args)], args...)...)
	h.program.Dir, h.program.Env = h.dir, h.env
	ready := make(chan string, 1)
	h.program.Stderr = writer(func(p []byte) (int, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, rest, ok := strings.Cut(string(p), "msg=listening url="); ok {
			address, _, _ := strings.Cut(rest, "\n")
			ready <- address
		}
		return h.log.Write(p)
	})
	if err := h.program.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.done = make(chan struct{})
	go func(p *exec.Cmd, done chan struct{}) {
		_ = p.Wait()
		close(done)
	}(h.program, h.done)
	select {
	case h.url = <-ready:
	case <-h.done:
		h.t.Fatal("the program does not listen")
	}
}

func (h *host) exited() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

func (h *host) logText() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// call calls the program as Docker Hub does after a push, and requires that it accepts.
func (h *host) call(tag string, times int) {
	h.t.Helper()
	if r := h.callAs(token, tag, times); !r.Delivered {
		h.t.Fatalf("the push of %s is not accepted: %+v", tag, r)
	}
}

func (h *host) callAs(token, tag string, times int) webhooktest.Result {
	body := fmt.Appendf(nil, `{"push_data":{"pushed_at":1714564800,"pusher":"acmebot","tag":%q},`+
		`"callback_url":"%s/callback","repository":{"repo_name":"acme/app","name":"app","namespace":"acme","owner":"acme","status":"Active"}}`, tag, h.registry.URL)
	sender := webhooktest.DockerHub{Calls: times}
	return sender.Deliver(h.t.Context(), h.url+"/hooks/dockerhub/"+token, body)
}

// A fakeContainer is the state of one container in the fake docker.
type fakeContainer struct {
	ID, Name, Image string
	State           struct{ Running bool }
	Config          struct {
		Image  string
		Env    []string
		Labels map[string]string
	}
}

// containers returns all containers by name.
func (h *host) containers() map[string]fakeContainer {
	h.t.Helper()
	var state struct{ Containers []fakeContainer }
	if text := h.read("state.json"); text != "" {
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			h.t.Fatal(err)
		}
	}
	all := make(map[string]fakeContainer)
	for _, c := range state.Containers {
		all[strings.TrimPrefix(c.Name, "/")] = c
	}
	return all
}

// requireOnly checks that a container is the only one, and that it runs the image with the
// digest.
func (h *host) requireOnly(container, digest string) fakeContainer {
	h.t.Helper()
	all := h.containers()
	if diff := cmp.Diff([]string{container}, slices.Sorted(maps.Keys(all))); diff != "" {
		h.t.Fatalf("the containers differ (-want +got):\n%s", diff)
	}
	c := all[container]
	if !c.State.Running || !strings.HasSuffix(c.Config.Image, "@"+digest) {
		h.t.Fatalf("running: %v, image %s, want one of %s that runs", c.State.Running, c.Config.Image, digest)
	}
	return c
}

// requireUntouched checks that a container is the only one and runs as before.
func (h *host) requireUntouched(before fakeContainer) {
	h.t.Helper()
	_, digest, _ := strings.Cut(before.Config.Image, "@")
	if c := h.requireOnly(strings.TrimPrefix(before.Name, "/"), digest); c.ID != before.ID {
		h.t.Fatalf("the container is %s, want %s", c.ID, before.ID)
	}
}

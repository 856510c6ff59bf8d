//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// A front is a registry: Debian's docker-registry, behind a proxy that a test can
// make answer for it, in its own repository.
type front struct {
	addr   string
	server *httptest.Server
	cmd    *exec.Cmd
	mu     sync.Mutex
	// pass answers as the registry.
	pass http.HandlerFunc
	// handlers answer in place of the registry, by repository.
	handlers map[string]http.HandlerFunc
}

// startFront starts a registry with its files in dir.
func startFront(ctx context.Context, dir string) (*front, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	socket, config := filepath.Join(dir, "sock"), filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"+
		"storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp: {net: unix, addr: %s}\n", filepath.Join(dir, "files"), socket)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	f := &front{cmd: exec.Command("/usr/bin/docker-registry", "serve", config), handlers: make(map[string]http.HandlerFunc)}
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	f.cmd.Stderr = &said
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	waitCtx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := pollUntil(waitCtx, "the registry to listen", func() bool {
		conn, err := dial(waitCtx, "", "")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}); err != nil {
		f.stop()
		return nil, fmt.Errorf("docker-registry: %w: %s", err, said.String())
	}
	proxy := &httputil.ReverseProxy{
		// The registry makes URLs of the host that was asked.
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host },
		Transport: &http.Transport{DialContext: dial, DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	f.pass = proxy.ServeHTTP
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := f.handler(r.URL); answer != nil {
			answer(w, r)
			return
		}
		f.pass(w, r)
	}))
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.addr = strings.TrimPrefix(f.server.URL, "http://")
	return f, nil
}

func (f *front) stop() {
	if f.server != nil {
		f.server.CloseClientConnections()
		f.server.Close()
	}
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
}

// handler returns the handler of the repository in a URL: /v2/acme/app/manifests/1.0
func (f *front) handler(u *url.URL) http.HandlerFunc {
	f.mu.Lock()
	defer f.mu.Unlock()
	for repository, answer := range f.handlers {
		if strings.HasPrefix(u.Path, "/v2/"+repository+"/") {
			return answer
		}
	}
	return nil
}

// answer makes the registry answer for a repository with a handler. If nil, the
// registry answers itself again.
func (f *front) answer(repository string, handler http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if handler == nil {
		delete(f.handlers, repository)
		return
	}
	f.handlers[repository] = handler
}

// An appImage describes an image of testdata/app.
type appImage struct {
	version string
	env     []string
	// health is the health check. If nil, the image has none.
	health *v1.HealthConfig
}

// quickHealth has no start period. Its interval is also the time until the first check. The
// timeout is longer than a check of testdata/app takes.
func quickHealth() *v1.HealthConfig {
	return &v1.HealthConfig{Test: []string{"CMD", "/app", "health"}, Interval: time.Second, Timeout: 2 * time.Minute, Retries: 3}
}

// buildApp builds testdata/app as the layer of all images.
func buildApp(ctx context.Context, dir string) (v1.Layer, error) {
	file := filepath.Join(dir, "app")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", file, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil },
		tarball.WithCompressedCaching)
}

// image makes an image.
func (rig *engineRig) image(t *testing.T, a appImage) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, rig.layer)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{Entrypoint: []string{"/app"}, Env: append([]string{"APP_VERSION=" + a.version}, a.env...), Healthcheck: a.health}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	return img
}

// push pushes an image and returns the digest of the tag.
func (f *front) push(t *testing.T, repository, tag string, img v1.Image) string {
	t.Helper()
	ref, err := name.NewTag(f.addr + "/" + repository + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// pushIndex pushes an index of one image, as a build for several platforms makes,
// and returns the digest of the tag, which is that of the index.
func (f *front) pushIndex(t *testing.T, repository, tag string, img v1.Image) string {
	t.Helper()
	ref, err := name.NewTag(f.addr + "/" + repository + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}}})
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

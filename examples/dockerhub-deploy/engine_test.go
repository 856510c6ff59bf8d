//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An engineRig is what the engine tests share: a Docker Engine, two registries that
// it pulls from, and the docker program. Everything listens on loopback addresses
// or sockets in dir.
type engineRig struct {
	dir    string
	docker string // the docker program of the same release as the engine
	config string // folder for DOCKER_CONFIG, with the compose plugin
	// hub is the registry of most tests, and the engine's mirror of Docker Hub. other
	// is a registry that is only known by its own name.
	hub, other *front
	engine     *dockerd
	layer      v1.Layer // the program of testdata/app
	cancel     context.CancelFunc
	built      chan struct{} // closed when composeErr is set
	composeErr error
}

var (
	startRig   = sync.OnceValues(newEngineRig)
	startedRig atomic.Pointer[engineRig] // to be stopped
	// leaveOutEngine says in the last lines of "make test" what did not run.
	leaveOutEngine  = sync.OnceFunc(func() { _, err := startRig(); fmt.Printf("left out: %v\n", oneLine(err)) })
	leaveOutCompose = sync.OnceFunc(func() { fmt.Printf("left out: %v\n", oneLine(startedRig.Load().composeErr)) })
)

// sharedRig returns the rig, or nil if no engine can run here and the test must
// return. With CI=true in the environment that is a failure.
func sharedRig(t *testing.T) *engineRig {
	t.Helper()
	rig, err := startRig()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		leaveOutEngine()
		return nil
	}
	return rig
}

// composeRig is sharedRig for a test that needs docker compose.
func composeRig(t *testing.T) *engineRig {
	t.Helper()
	rig := sharedRig(t)
	if rig == nil {
		return nil
	}
	<-rig.built
	if rig.composeErr != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(rig.composeErr)
		}
		leaveOutCompose()
		return nil
	}
	return rig
}

// stopEngineRig ends what the tests have started.
func stopEngineRig() {
	if rig := startedRig.Load(); rig != nil {
		rig.stop()
	}
}

func newEngineRig() (*engineRig, error) {
	const install = "the tests on a Docker Engine: %s is not installed; get it: apt-get install docker.io docker-registry"
	if os.Geteuid() != 0 {
		return nil, errors.New("the tests on a Docker Engine; to include them, run the tests as root")
	}
	rig := &engineRig{docker: "/usr/bin/docker", built: make(chan struct{})}
	for _, program := range []string{"/usr/sbin/dockerd", "/usr/bin/docker-registry", rig.docker} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf(install, filepath.Base(program))
		}
	}
	if err := rig.start(); err != nil {
		rig.stop()
		return nil, fmt.Errorf("the tests on a Docker Engine, which does not start here: %w", err)
	}
	startedRig.Store(rig)
	return rig, nil
}

func (rig *engineRig) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	rig.cancel = cancel
	var err error
	if rig.dir, err = os.MkdirTemp("", "hookhouse-engine-"); err != nil {
		return err
	}
	rig.config = filepath.Join(rig.dir, "config")
	plugins := filepath.Join(rig.config, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		return err
	}
	go rig.buildCompose(ctx, plugins)
	if rig.layer, err = buildApp(ctx, rig.dir); err != nil {
		return err
	}
	if rig.hub, err = startFront(ctx, filepath.Join(rig.dir, "hub")); err != nil {
		return err
	}
	if rig.other, err = startFront(ctx, filepath.Join(rig.dir, "other")); err != nil {
		return err
	}
	rig.engine = newDockerd(filepath.Join(rig.dir, "engine"), rig.hub)
	if err := rig.engine.start(); err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, rig.docker, "--version").Output()
	if err != nil {
		return err
	}
	fmt.Printf("ran on: Docker Engine %s, with %s\n", rig.engine.version, oneLine(errors.New(string(version))))
	return nil
}

// buildCompose builds the plugin in the background, because the first build takes
// minutes.
func (rig *engineRig) buildCompose(ctx context.Context, plugins string) {
	defer close(rig.built)
	const module = "../../internal/compose"
	if _, err := os.Stat(module); err != nil {
		rig.composeErr = errors.New("the tests with docker compose; to include them, run the tests in a clone of the repository")
		return
	}
	out, err := exec.CommandContext(ctx, "go", "run", "-C", module, ".", plugins).CombinedOutput()
	if err != nil {
		rig.composeErr = fmt.Errorf("the tests with docker compose, which cannot be built: %w: %s", err, out)
		return
	}
	fmt.Printf("ran on: %s", out)
}

func (rig *engineRig) stop() {
	rig.cancel()
	<-rig.built
	if rig.engine != nil {
		rig.engine.remove()
	}
	for _, f := range []*front{rig.hub, rig.other} {
		if f != nil {
			f.stop()
		}
	}
	_ = os.RemoveAll(rig.dir)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

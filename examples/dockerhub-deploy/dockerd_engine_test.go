//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A dockerd is a Docker Engine with a state, a socket and a containerd of its own. It
// changes no packet filter and makes no default network, so containers that answer
// run on the host's network.
type dockerd struct {
	dir     string
	args    []string
	cmd     *exec.Cmd
	done    chan struct{} // closed when cmd has ended
	client  *http.Client
	version string
}

func newDockerd(dir string, mirror *front, more ...string) *dockerd {
	d := &dockerd{dir: dir}
	d.args = append([]string{
		"--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none",
		"--data-root=" + filepath.Join(dir, "data"), "--exec-root=" + filepath.Join(dir, "run"),
		"--pidfile=" + filepath.Join(dir, "pid"), "--host=" + d.host(), "--registry-mirror=http://" + mirror.addr,
		"--shutdown-timeout=5", "--max-concurrent-downloads=1",
	}, more...)
	d.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(d.host(), "unix://"))
	}}}
	return d
}

func (d *dockerd) host() string { return "unix://" + filepath.Join(d.dir, "sock") }

// start starts the engine, with the state that it had, and waits until it answers. On a
// busy machine an engine gives up if its containerd is slow, so it is started again.
func (d *dockerd) start() (err error) {
	for range 3 {
		if err = d.startOnce(); err == nil {
			return nil
		}
	}
	return err
}

func (d *dockerd) startOnce() error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	d.cmd = exec.Command("/usr/sbin/dockerd", d.args...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	// Where a mirror has no answer, the engine asks Docker Hub. Here it asks an address
	// that refuses connections.
	d.cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1")
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan struct{})
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = pollUntil(ctx, "the engine to answer", func() bool {
		var v struct{ Version, APIVersion string }
		if d.get("/version", &v) != nil || v.Version == "" {
			return d.ended()
		}
		d.version = v.Version + " (API " + v.APIVersion + ")"
		return true
	})
	if err == nil && d.ended() {
		err = errors.New("dockerd ended")
	}
	if err != nil {
		text, _ := os.ReadFile(d.logFile())
		return fmt.Errorf("%w: %s", err, text[max(0, len(text)-500):])
	}
	return nil
}

func (d *dockerd) logFile() string { return filepath.Join(d.dir, "log") }

func (d *dockerd) ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// end ends the engine with a signal and waits for it. SIGTERM ends the containers
// as well.
func (d *dockerd) end(signal syscall.Signal) {
	_ = d.cmd.Process.Signal(signal)
	<-d.done
}

// remove ends the engine and removes its containers, networks and state.
func (d *dockerd) remove() {
	if d.cmd != nil && d.cmd.Process != nil && !d.ended() {
		d.removeContainers("")
		_ = d.call(http.MethodPost, "/networks/prune", nil)
		d.end(syscall.SIGTERM)
	}
	mounts, _ := os.ReadFile("/proc/self/mounts")
	var below []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[1], d.dir+"/") {
			below = append(below, fields[1])
		}
	}
	slices.Reverse(below)
	for _, dir := range below {
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
	}
	_ = os.RemoveAll(d.dir)
}

// removeContainers removes all containers whose name begins with the prefix.
func (d *dockerd) removeContainers(prefix string) {
	for _, c := range d.containers(prefix) {
		_ = d.call(http.MethodDelete, "/containers/"+c.ID+"?force=1&v=1", nil)
	}
}

// A engineContainer is what the engine says of a container.
type engineContainer struct {
	ID, Name, Image string
	RestartCount    int
	State           struct {
		Status, StartedAt string
		Running           bool
		Health            *struct{ Status string }
	}
	Config struct {
		Image      string
		MacAddress string
		Labels     map[string]string
		Env        []string
	}
	HostConfig      struct{ NetworkMode string }
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress, MacAddress string }
	}
}

func (c engineContainer) name() string { return strings.TrimPrefix(c.Name, "/") }

// containers returns all containers whose name begins with the prefix, running or not.
func (d *dockerd) containers(prefix string) []engineContainer {
	var listed []struct{ ID string }
	_ = d.get("/containers/json?all=1&filters="+url.QueryEscape(fmt.Sprintf(`{"name":["^/%s"]}`, prefix)), &listed)
	var all []engineContainer
	for _, c := range listed {
		var one engineContainer
		if d.get("/containers/"+c.ID+"/json", &one) == nil { // otherwise it is gone
			all = append(all, one)
		}
	}
	return all
}

func (d *dockerd) get(path string, into any) error { return d.call(http.MethodGet, path, into) }

// call calls the engine's API: https://docs.docker.com/reference/api/engine/
func (d *dockerd) call(method, path string, into any) error {
	req, err := http.NewRequest(method, "http://engine"+path, nil)
	if err != nil {
		return err
	}
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// TestEngineStartsAndEnds is the control of the rig: an engine starts, runs nothing that
// a test did not make, and ends with its state.
func TestEngineStartsAndEnds(t *testing.T) {
	t.Parallel()
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	d := newDockerd(filepath.Join(rig.dir, "own"), rig.hub)
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	t.Logf("engine %s", d.version)
	if all := d.containers(""); len(all) != 0 {
		t.Errorf("a new engine has the containers %v", all)
	}
	d.remove()
	if _, err := os.Stat(d.dir); !os.IsNotExist(err) {
		t.Errorf("the state of the engine is left: %v", err)
	}
}

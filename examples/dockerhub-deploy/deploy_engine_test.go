//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// newRunSite returns a site with a declared container on the shared engine.
func newRunSite(t *testing.T, options ...string) *site {
	t.Helper()
	rig := sharedRig(t)
	if rig == nil {
		return nil
	}
	s := newSite(t, rig, rig.engine)
	s.declare(options...)
	return s
}

// deployFirst deploys a healthy image where there is nothing, and returns the
// container.
func (s *site) deployFirst() engineContainer {
	s.t.Helper()
	digest := s.push("1", quickHealth())
	s.start()
	s.call("latest")
	return s.requireOnly(digest)
}

func TestEngineFirstDeployUpdateAndSameDigest(t *testing.T) {
	t.Parallel()
	s := newRunSite(t, "--restart unless-stopped", "--label team=shop a", "--env GREETING=hello  there")
	if s == nil {
		return
	}
	t.Logf("Docker Engine %s", s.engine.version)
	first := s.deployFirst()
	s.requireAnswer("1")
	if got := first.Config.Labels["team"]; got != "shop a" {
		t.Errorf("the label is %q, want %q", got, "shop a")
	}
	if got := first.Config.Env; !strings.Contains(strings.Join(got, "\n"), "GREETING=hello  there") {
		t.Errorf("the environment is %q, want it to contain GREETING=hello  there", got)
	}
	digest := s.push("2", quickHealth())
	s.call("latest")
	second := s.requireOnly(digest)
	s.requireAnswer("2")
	if first.ID == second.ID {
		t.Fatal("the container is the same after an update")
	}

	seen := s.countLog("msg=unchanged")
	s.call("latest")
	s.untilLog("msg=unchanged", seen+1)
	if third := s.requireOnly(digest); third.ID != second.ID || third.State.StartedAt != second.State.StartedAt {
		t.Fatalf("the same digest is deployed again: %+v, before %+v", third, second)
	}
	if got := len(s.changes("create ")); got != 2 {
		t.Fatalf("%d containers were created, want 2", got)
	}
}

// An image that ends or is unhealthy is not tried again, and the container from
// before runs again.
func TestEngineRollsBackBadImage(t *testing.T) {
	t.Parallel()
	s := newRunSite(t)
	if s == nil {
		return
	}
	before := s.deployFirst()
	for i, test := range []struct {
		env    string
		health *v1.HealthConfig
	}{
		{"APP_SICK=1", quickHealth()},
		{"APP_EXIT_AFTER=0s", quickHealth()},
		{"APP_EXIT_AFTER=400ms", nil}, // it must run for -min-uptime
	} {
		s.idle()
		t.Log(test.env)
		created := len(s.changes("create "))
		s.push(fmt.Sprint("bad ", i+1), test.health, test.env)
		s.call("latest")
		s.untilLog(`msg="rolled back"`, i+1)
		s.requireUntouched(before)
		s.requireAnswer(fmt.Sprint(i + 1))
		good := s.push(fmt.Sprint(i+2), quickHealth())
		s.call("latest")
		before = s.requireOnly(good)
		if got := len(s.changes("create ")) - created; got != 2 {
			t.Fatalf("%d containers were created, want 2: the bad one once, and the good one", got)
		}
	}
}

// Where the first image is bad, nothing of it is left.
func TestEngineFirstDeployOfBadImage(t *testing.T) {
	t.Parallel()
	s := newRunSite(t)
	if s == nil {
		return
	}
	s.push("1", quickHealth(), "APP_SICK=1")
	s.start()
	s.call("latest")
	s.untilLog(`msg="rolled back"`, 1)
	s.until("no container to be left", func() bool { return len(s.ownContainers()) == 0 })
	digest := s.push("2", quickHealth())
	s.call("latest")
	s.requireOnly(digest)
}

// The start period of the image counts before -health-timeout does.
func TestEngineStartPeriodCounts(t *testing.T) {
	t.Parallel()
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	s := newSite(t, rig, rig.engine, "-health-timeout=1500ms")
	s.declare()
	health := quickHealth()
	health.StartPeriod = 60e9
	digest := s.push("1", health, "APP_HEALTHY_AFTER=5s")
	s.start()
	s.call("latest")
	s.requireOnly(digest)
	if got := s.countLog(`msg="rolled back"`); got != 0 {
		t.Fatalf("rolled back %d times, want 0", got)
	}
	// Without a start period the same image is bad.
	s.push("2", quickHealth(), "APP_HEALTHY_AFTER=5s")
	s.call("latest")
	s.untilLog(`msg="rolled back"`, 1)
	s.requireOnly(digest)
}

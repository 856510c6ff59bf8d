//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
)

// newEngine starts an engine that the test may end.
func newEngine(t *testing.T, rig *engineRig) *dockerd {
	t.Helper()
	d := newDockerd(filepath.Join(rig.dir, fmt.Sprintf("own%d", sites.Add(1))), rig.hub)
	t.Cleanup(d.remove)
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// killSite returns a site whose deliveries run again soon after a kill.
func killSite(t *testing.T) *site {
	t.Helper()
	s := newRunSite(t)
	if s != nil {
		s.args = append(s.args, "-lease=2s")
	}
	return s
}

// commandsOf returns the number of changing commands of an update.
func commandsOf(t *testing.T, env ...string) int {
	t.Helper()
	s := killSite(t)
	s.deployFirst()
	before := len(s.changes(""))
	digest := s.push("2", quickHealth(), env...)
	s.call("latest")
	if len(env) > 0 {
		s.untilLog(`msg="rolled back"`, 1)
	} else {
		s.requireOnly(digest)
	}
	commands := s.changes("")[before:]
	t.Logf("an update runs %q", commands)
	return len(commands)
}

// A deployment that is killed before or after any of its commands is completed at the
// next start. One deployment follows the other.
func TestEngineFinishesKilledDeployment(t *testing.T) {
	t.Parallel()
	if sharedRig(t) == nil {
		return
	}
	commands := commandsOf(t)
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			s := killSite(t)
			s.deployFirst()
			for n := range commands {
				s.idle()
				t.Logf("%s command %d", when, n+1)
				version := fmt.Sprint(n + 2)
				digest := s.push(version, quickHealth())
				s.fault(when, "kill", fmt.Sprint(len(s.changes(""))+n+1))
				s.call("latest")
				s.untilKilled()
				s.start()
				s.requireOnly(digest)
				s.requireAnswer(version)
			}
		})
	}
}

// untilKilled waits until the program is killed.
func (s *site) untilKilled() {
	s.t.Helper()
	s.until("the kill", s.exited)
	if status := s.program.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		s.t.Fatalf("the program ended with %v", s.program.ProcessState)
	}
}

// A killed deployment of a bad image ends with the container from before.
func TestEngineUndoesKilledDeploymentOfBadImage(t *testing.T) {
	t.Parallel()
	if sharedRig(t) == nil {
		return
	}
	commands := commandsOf(t, "APP_SICK=1")
	const lanes = 2
	for lane := range lanes {
		t.Run(fmt.Sprint("lane ", lane+1), func(t *testing.T) {
			t.Parallel()
			s := killSite(t)
			before := s.deployFirst()
			for n := lane; n < commands; n += lanes {
				s.idle()
				t.Logf("after command %d", n+1)
				s.push(fmt.Sprint(n+2), quickHealth(), "APP_SICK=1")
				known := func() int {
					return s.countLog(`msg="rolled back"`) + s.countLog("rejected by an earlier attempt")
				}
				earlier := known()
				s.fault("after", "kill", fmt.Sprint(len(s.changes(""))+n+1))
				s.call("latest")
				s.untilKilled()
				s.start()
				s.until("the image to be known as bad", func() bool { return known() > earlier })
				s.requireUntouched(before)
				s.requireAnswer("1")
			}
		})
	}
}

// A killed first deployment is completed as well.
func TestEngineFinishesKilledFirstDeployment(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"create --name*", "rename*", "start*"} {
		t.Run("after "+point, func(t *testing.T) {
			t.Parallel()
			s := killSite(t)
			if s == nil {
				return
			}
			digest := s.push("1", quickHealth())
			s.fault("after", "kill", point)
			s.start()
			s.untilKilled()
			s.start()
			s.requireOnly(digest)
		})
	}
}

// An engine that is restarted in the middle of a deployment, which ends all containers,
// delays it. The image is not blamed.
func TestEngineRestartedInMidDeploy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		when, point string
		signal      syscall.Signal
	}{
		{"before", "create --name*", syscall.SIGTERM},
		{"after", "stop*", syscall.SIGTERM},
		{"after", "rename*-next*", syscall.SIGKILL},
		{"after", "start*", syscall.SIGTERM},
		{"after", "start*", syscall.SIGKILL},
	} {
		t.Run(fmt.Sprint(test.when, " ", test.point, " by ", test.signal), func(t *testing.T) {
			t.Parallel()
			rig := sharedRig(t)
			if rig == nil {
				return
			}
			s := newSite(t, rig, newEngine(t, rig))
			s.declare("--restart unless-stopped")
			s.deployFirst()
			health := quickHealth()
			health.Retries = 30
			digest := s.push("2", health, "APP_HEALTHY_AFTER=2s")
			s.fault(test.when, "hold", test.point)
			s.call("latest")
			s.untilHeld()
			s.engine.end(test.signal)
			s.release()
			failed := s.countLog("msg=failed")
			s.until("the program to notice", func() bool { return s.countLog("msg=failed") > failed || s.countLog("Cannot connect") > 0 })
			if err := s.engine.start(); err != nil {
				t.Fatal(err)
			}
			s.requireOnly(digest)
			if got := s.countLog(`msg="rolled back"`); got != 0 {
				t.Fatalf("the image is blamed %d times", got)
			}
			s.requireAnswer("2")
		})
	}
}

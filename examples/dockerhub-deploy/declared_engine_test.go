//go:build linux

package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A container that somebody made by hand is replaced by the declared one. If the image is
// bad, it runs again, and it is the same container.
func TestEngineTakesOverContainerMadeByHand(t *testing.T) {
	t.Parallel()
	s := newRunSite(t)
	if s == nil {
		return
	}
	s.push("0", quickHealth())
	s.docker("run", "--detach", "--name="+s.name, "--network=host", "--env=APP_ADDR=127.0.0.1:"+s.port, "--env=LEFT=here", s.rig.hub.addr+"/"+s.repository+":latest")
	before := s.container(s.name)
	s.push("1", quickHealth(), "APP_SICK=1")
	s.start()
	s.call("latest")
	s.untilLog(`msg="rolled back"`, 1)
	s.requireUntouched(before)
	digest := s.push("2", quickHealth())
	s.call("latest")
	after := s.requireOnly(digest)
	if strings.Contains(strings.Join(after.Config.Env, "\n"), "LEFT=") {
		t.Errorf("the environment %q has a variable that is not declared", after.Config.Env)
	}
	if got := s.countLog("that this program has not created"); got == 0 {
		t.Error("the log does not say that the container was made by somebody else")
	}
}

// Options that are changed are applied at the next start and at the next push, with the
// same image. Options that the engine refuses touch nothing.
func TestEngineAppliesChangedOptions(t *testing.T) {
	t.Parallel()
	s := newRunSite(t)
	if s == nil {
		return
	}
	first := s.deployFirst()
	change := func(option string) {
		t.Helper()
		s.writeOptions(s.name, "--network host", "--env APP_ADDR=127.0.0.1:"+s.port, option)
	}
	changed := func(variable string) func() bool {
		return func() bool { return slices.Contains(s.find(s.name).Config.Env, variable) }
	}
	change("--env GREETING=hello")
	s.call("latest")
	s.until("the changed options to be applied", changed("GREETING=hello"))
	s.requireOnly(digestOf(first))
	s.end(syscall.SIGTERM)
	change("--env GREETING=good morning")
	s.start()
	s.until("the changed options to be applied", changed("GREETING=good morning"))
	before := s.requireOnly(digestOf(first))

	for _, refused := range []string{"--memory 1k", "--volume relative path:/data:x", "--runtime nothing"} {
		failed := s.countLog("msg=failed")
		change(refused)
		s.call("latest")
		s.untilLog("msg=failed", failed+1)
		if now := s.container(s.name); now.ID != before.ID || now.State.StartedAt != before.State.StartedAt {
			t.Fatalf("%s: the container is touched: %+v, before %+v", refused, now, before)
		}
	}
	change("--env GREETING=good evening")
	s.call("latest")
	s.until("the changed options to be applied", changed("GREETING=good evening"))
	s.requireOnly(digestOf(first))
}

// The program is killed while a container takes its time to stop. The stop goes on, and
// the container runs in the end.
func TestEngineSlowStopOfKilledDeployment(t *testing.T) {
	t.Parallel()
	for name, sick := range map[string]string{"good image": "", "bad image": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := killSite(t)
			if s == nil {
				return
			}
			s.writeOptions(s.name, "--network host", "--env APP_ADDR=127.0.0.1:"+s.port, "--env APP_STOP_AFTER=6s", "--stop-timeout 30")
			before := s.deployFirst()
			digest := s.push("2", quickHealth(), "APP_SICK="+sick)
			s.fault("before", "kill", "stop*")
			s.call("latest")
			s.until("the kill", s.exited)
			s.start()
			if sick == "" {
				s.requireOnly(digest)
				return
			}
			s.untilLog(`msg="rolled back"`, 1)
			s.requireUntouched(before)
		})
	}
}

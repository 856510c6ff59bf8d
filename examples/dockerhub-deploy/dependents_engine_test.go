//go:build linux

package main

import (
	"strings"
	"testing"
)

// What uses the network or the volumes of a container and is declared nowhere would be
// left dead. So nothing is touched, and the log names it.
func TestEngineRefusesUndeclaredDependents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []string // of the dependent; WEB is the container's name, and ID its id
		stopped bool
	}{
		"network by name":          {options: []string{"--network=container:WEB"}},
		"network by id":            {options: []string{"--network=container:ID"}},
		"network of a stopped one": {options: []string{"--network=container:WEB"}, stopped: true},
		"volumes":                  {options: []string{"--network=none", "--volumes-from=WEB"}},
		"volumes by id, read-only": {options: []string{"--network=none", "--volumes-from=ID:ro"}},
		"process ids":              {options: []string{"--network=none", "--pid=container:WEB"}},
		"shared memory":            {options: []string{"--network=none", "--ipc=container:WEB"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRunSite(t, "--ipc shareable")
			if s == nil {
				return
			}
			before := s.deployFirst()
			fill := strings.NewReplacer("WEB", s.name, "ID", before.ID[:20])
			args := []string{"create", "--name=" + s.name + "-side"}
			for _, option := range test.options {
				args = append(args, fill.Replace(option))
			}
			side := s.docker(append(args, s.rig.hub.addr+"/"+s.repository+":latest@"+digestOf(before))...)
			if !test.stopped {
				s.docker("start", side)
			}
			commands := len(s.changes(""))
			s.push("2", quickHealth())
			s.call("latest")
			s.untilLog("refused", 1)
			if got := s.logText(); !strings.Contains(got, s.name+"-side") {
				t.Errorf("the log does not name %s-side", s.name)
			}
			if after := s.container(s.name); after.ID != before.ID || after.State.StartedAt != before.State.StartedAt {
				t.Fatalf("the container is touched: %+v, before %+v", after, before)
			}
			if c := s.container(s.name + "-side"); c.ID != side || c.State.Running == test.stopped {
				t.Fatalf("the dependent is touched: %+v", c)
			}
			if got := s.changes("")[commands:]; len(got) != 0 {
				t.Fatalf("the refused deployment ran %q", got)
			}
			// Without the dependent the next push is deployed.
			s.docker("rm", "--force", side)
			good := s.push("3", quickHealth())
			s.call("latest")
			s.requireOnly(good)
		})
	}
}

// A dependent that a rule declares is made anew, with its own image, and so is what
// depends on that.
func TestEngineMakesDeclaredDependentsAnew(t *testing.T) {
	t.Parallel()
	s := newRunSite(t, "--volume /data")
	if s == nil {
		return
	}
	side, third := s.name+"-side", s.name+"-third"
	sideRepository := s.repository + "-side"
	s.rig.hub.push(t, sideRepository, "latest", s.image("side", nil))
	s.declareAs(side, sideRepository+":latest", "--network container:"+s.name, "--volumes-from "+s.name)
	s.declareAs(third, sideRepository+":latest", "--network none", "--volumes-from "+side)
	first := s.push("1", quickHealth())
	s.start()
	inOrder := func(digest string) bool {
		web, one, two := s.find(s.name), s.find(side), s.find(third)
		return len(s.ownContainers()) == 3 && s.runs(s.name, digest) && one.State.Running && two.State.Running &&
			one.HostConfig.NetworkMode == "container:"+web.ID && one.Image == two.Image
	}
	s.until("all three to run", func() bool { return inOrder(first) })
	before, beforeThird := s.container(side), s.container(third)
	second := s.push("2", quickHealth())
	s.call("latest")
	s.until("all three to run, with the new image", func() bool { return inOrder(second) })
	after := s.container(side)
	if after.ID == before.ID || after.Image != before.Image {
		t.Fatalf("the dependent is %+v, before %+v: want another container of the same image", after, before)
	}
	if s.container(third).ID == beforeThird.ID {
		t.Fatal("what uses the volumes of the dependent is not made anew")
	}

	// A bad image leaves all three as they are, and running.
	s.push("3", quickHealth(), "APP_SICK=1")
	s.call("latest")
	s.untilLog(`msg="rolled back"`, 1)
	s.until("all three to run after the rollback", func() bool { return inOrder(second) })
	if got := s.container(side); got.HostConfig.NetworkMode != after.HostConfig.NetworkMode {
		t.Fatalf("the dependent uses %s, want %s", got.HostConfig.NetworkMode, after.HostConfig.NetworkMode)
	}
}

// digestOf returns the digest in the name of a container's image.
func digestOf(c engineContainer) string {
	_, digest, _ := strings.Cut(c.Config.Image, "@")
	return digest
}

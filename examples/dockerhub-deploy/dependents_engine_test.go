//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
)

// What uses the network or the volumes of a container and is declared nowhere would be
// left dead. So nothing is touched, and the log names it.
func TestEngineRefusesUndeclaredDependents(t *testing.T) {
	t.Parallel()
	s := newRunSite(t, "--ipc shareable")
	if s == nil {
		return
	}
	before := s.deployFirst()
	for i, test := range []struct {
		what    string
		options string // of the dependent; WEB is the container's name, and ID its id
		stopped bool
	}{
		{what: "network by name", options: "--network=container:WEB"},
		{what: "network by id", options: "--network=container:ID"},
		{what: "network of a stopped one", options: "--network=container:WEB", stopped: true},
		{what: "volumes", options: "--network=none --volumes-from=WEB"},
		{what: "volumes by id, read-only", options: "--network=none --volumes-from=ID:ro"},
		{what: "process ids", options: "--network=none --pid=container:WEB"},
		{what: "shared memory", options: "--network=none --ipc=container:WEB"},
	} {
		s.idle()
		t.Log(test.what)
		fill := strings.NewReplacer("WEB", s.name, "ID", before.ID[:20])
		args := append([]string{"create", "--name=" + s.name + "-side"}, strings.Fields(fill.Replace(test.options))...)
		side := s.docker(append(args, s.rig.hub.addr+"/"+s.repository+":latest@"+digestOf(before))...)
		if !test.stopped {
			s.docker("start", side)
		}
		commands, refused, begin := len(s.changes("")), s.countLog("refused"), len(s.logText())
		s.push(fmt.Sprint("refused ", i+1), quickHealth())
		s.call("latest")
		s.untilLog("refused", refused+1)
		s.idle()
		if got := s.logText()[begin:]; !strings.Contains(got, s.name+"-side") {
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
		good := s.push(fmt.Sprint("good ", i+1), quickHealth())
		s.call("latest")
		before = s.requireOnly(good)
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

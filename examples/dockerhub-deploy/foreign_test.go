package main

import (
	"strings"
	"testing"
)

// A container that the program has not made is never removed, whatever its name is.
func TestForeignPreviousOutlivesFirstDeployment(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	image := h.repository() + ":latest@" + h.push("latest", "healthy")
	h.docker("pull", image)
	h.docker("create", "--name=web-previous", image)
	before := h.containers()["web-previous"]
	h.start()
	h.until("the refusal", func() bool { return strings.Contains(h.logText(), "the container web-previous was not") })
	h.idle()
	if after := h.containers(); after["web-previous"].ID != before.ID || len(after) != 1 {
		t.Errorf("the containers are %v, want only %s", after, before.ID)
	}
}

func TestForeignNamesOfDependentOutliveItsRemake(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-next", "-previous"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			h := newDependentHost(t)
			side := h.containers()["side"]
			h.docker("create", "--name=side"+suffix, side.Image)
			foreign := h.containers()["side"+suffix]
			digest := h.push("latest", "healthy")
			h.call("latest", 1)
			h.until("the refusal", func() bool { return strings.Contains(h.logText(), "not made by this program") })
			h.idle()
			all := h.containers()
			if all["side"+suffix].ID != foreign.ID || all["side"].ID != side.ID || !all["side"].State.Running {
				t.Errorf("the containers are %v", all)
			}
			h.docker("rm", "side"+suffix)
			h.call("latest", 1)
			h.until("side to be made anew", func() bool { return h.containers()["side"].ID != side.ID })
			h.idle()
			if c := h.containers()["web"]; !strings.HasSuffix(c.Config.Image, digest) || len(h.containers()) != 3 {
				t.Errorf("the containers are %v", h.containers())
			}
		})
	}
}

func TestContainerThatRemovesItselfIsRefused(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	image := h.repository() + ":latest@" + h.push("latest", "healthy")
	h.docker("pull", image)
	h.docker("create", "--name=web", "--rm", image)
	h.docker("start", "web")
	before := h.containers()["web"]
	h.start()
	h.until("the refusal", func() bool { return strings.Contains(h.logText(), "was made with --rm") })
	h.idle()
	h.requireUntouched(before)
}

// The new container is removed by a person before it is healthy.
func TestOldContainerRunsAgainIfNewOneIsRemoved(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest", "--publish 8080:80")
	h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	h.idle()
	before := h.containers()["web"]
	bad := h.push("latest", "starting")
	h.call("latest", 1)
	h.until("the new container", func() bool {
		c := h.containers()["web"]
		return c.State.Running && strings.HasSuffix(c.Config.Image, bad)
	})
	h.docker("rm", "--force", "web")
	h.until("the old container", func() bool { c := h.containers()["web"]; return c.ID == before.ID && c.State.Running })
	h.idle() // the recovery ends before the folder of the test is removed
}

func TestNamesOfOneDeploymentBelongToOneRule(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-next", "-previous"} {
		h := newRunHost(t, "acme/app:latest")
		h.declare("web" + suffix)
		out, status := h.run("DOCKERHUB_WEBHOOK_TOKEN="+token, "-watch=acme/app:latest=run:web.options", "-watch=acme/app:next=run:web"+suffix+".options")
		if status != 1 || !strings.Contains(out, "needs both names") {
			t.Errorf("%s: exit status %d: %s", suffix, status, out)
		}
	}
}

func TestRestartsOfAnEarlierTimeRejectNothing(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	h.idle()
	_ = h.program.Process.Kill()
	h.until("the end", h.exited)
	h.write("state.json", strings.Replace(h.read("state.json"), `"RestartCount": 0`, `"RestartCount": 2`, 1))
	before := h.containers()["web"]
	h.start("-db=" + h.dir + "/lost.db") // nothing is recorded
	h.result("run:web", "deployed", 1)
	h.idle()
	h.requireUntouched(before)
}

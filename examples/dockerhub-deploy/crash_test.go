package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// killPoints are the commands of a deployment of web at which the program is
// killed, in order.
var killPoints = []fault{
	{"pull --quiet", "before", "kill"},
	{"pull --quiet", "after", "kill"},
	{"create --name=web.hookhouse-next", "after", "kill"},
	{"network connect", "after", "kill"},
	{"start web.hookhouse-next", "before", "kill"},
	{"start web.hookhouse-next", "after", "kill"},
	{"stop web", "before", "kill"},
	{"stop web", "after", "kill"},
	{"rename web web.hookhouse-previous", "after", "kill"},
	{"rename web.hookhouse-next web", "after", "kill"},
	{"rm --force web.hookhouse-previous", "after", "kill"},
}

func TestKilledDeploymentFinishesAtNextStart(t *testing.T) {
	t.Parallel()
	for what, flags := range map[string][]string{
		"side by side":          {"--network=front"},
		"with a published port": {"--network=front", "--publish=8080:80/tcp"},
	} {
		for _, point := range killPoints {
			t.Run(fmt.Sprint(what, " ", point.When, " ", point.Command), func(t *testing.T) {
				t.Parallel()
				h := newHost(t, "-watch", "acme/app:latest=web")
				h.build = "program.plain"
				h.startContainer("web", "latest", flags...)
				h.docker("network", "connect", "--alias=app", "back", "web")
				digest := h.pushImage("latest", app{health: "healthy"})
				h.start()
				h.injectFaults(point)
				h.deliverPush("latest", 6)
				h.waitUntil("the kill", h.exited)
				if got := h.program.ProcessState.ExitCode(); got != -1 {
					t.Fatalf("h.program.ProcessState.ExitCode() = %d, want -1", got)
				}
				h.start()
				h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
				h.waitIdle()
				h.requireOnly("web", "latest", digest)
			})
		}
	}
}

func TestKilledDeploymentOfUnhealthyImageIsRolledBack(t *testing.T) {
	t.Parallel()
	for _, point := range killPoints[:6] {
		t.Run(point.When+" "+point.Command, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.build = "program.plain"
			h.startContainer("web", "latest", "--publish=8080:80/tcp")
			h.docker("network", "connect", "back", "web")
			before := h.containers()["web"]
			h.pushImage("latest", app{health: "unhealthy"})
			h.start()
			h.injectFaults(point)
			h.deliverPush("latest", 6)
			h.waitUntil("the kill", h.exited)
			h.start()
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireUntouched(before)
		})
	}
}

func TestRecoveryAfterKillWhileRegistryIsDown(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.startContainer("web", "latest", "--publish=8080:80/tcp")
	before := h.containers()["web"]
	digest := h.pushImage("latest", app{health: "healthy"})
	h.start()
	h.injectFaults(fault{"stop web", "after", "kill"})
	h.deliverPush("latest", 6)
	h.waitUntil("the kill", h.exited)
	if h.containers()["web"].State.Running {
		t.Fatal(`h.containers()["web"].State.Running is true, want false`)
	}
	if all := slices.Sorted(maps.Keys(h.containers())); !slices.Contains(all, "web.hookhouse-next") {
		t.Fatalf("containers = %v, want web.hookhouse-next among them", all)
	}
	h.down.Store(true)
	h.start()
	h.waitForMetric(fmt.Sprintf(deploys, "failed"), 1)
	h.requireUntouched(before)
	h.down.Store(false)
	h.waitForMetric(deployed, 1)
	h.requireOnly("web", "latest", digest)
}

func TestAcknowledgedPushSurvivesKill(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web", "-quiet-period=2s")
	h.startContainer("web", "latest")
	digest := h.pushImage("latest", app{health: "healthy"})
	h.start()
	h.deliverPush("latest", 6)
	if err := h.program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.waitUntil("the kill", h.exited)
	h.start()
	h.waitForMetric(deployed, 1)
	h.requireOnly("web", "latest", digest)
}

func TestSIGTERMLetsDeploymentFinish(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.startContainer("web", "latest")
	digest := h.pushImage("latest", app{health: "healthy"})
	h.injectFaults(fault{"pull --quiet", "before", "hold"})
	h.start()
	h.deliverPush("latest", 6)
	h.waitUntil("the pull", func() bool { return h.countCalls("pull --quiet") == 1 })
	url := h.url
	code := make(chan int)
	go func() { code <- h.terminate() }()
	h.waitUntil("the listener to close", func() bool {
		res, err := http.Get(url + "/healthz")
		if err == nil {
			_ = res.Body.Close()
		}
		return err != nil
	})
	h.releaseHold()
	if got := <-code; got != 0 {
		t.Fatalf("<-code = %d, want 0", got)
	}
	h.requireOnly("web", "latest", digest)
}

func TestSIGTERMOfIdleProgram(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.start()
	h.deliverPush("other", 1)
	h.waitForMetric(fmt.Sprintf(pushes, "ignored"), 1)
	if got := h.get("/healthz"); !strings.Contains(got, `"ok":true`) {
		t.Fatalf(`h.get("/healthz") = %q, want it to contain %q`, got, `"ok":true`)
	}
	if got := h.terminate(); got != 0 {
		t.Fatalf("h.terminate() = %d, want 0", got)
	}
}

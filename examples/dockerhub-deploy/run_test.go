package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestFirstDeploymentFromNothingAndUpdate(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest", "--publish 8080:80", "--env GREETING=hello  there", "--", "serve", "two words")
	digest := h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	c := h.requireOnly("web", digest)
	if !slices.Contains(c.Config.Env, "GREETING=hello  there") || strings.Contains(h.read("calls"), "hello") {
		t.Errorf("the environment is %q, and the commands are\n%s", c.Config.Env, h.read("calls"))
	}
	digest = h.push("latest", "healthy")
	h.call("latest", 6)
	h.result("run:web", "deployed", 2)
	h.idle()
	before := h.requireOnly("web", digest)
	if got := h.stored("dockerhub.push", webhook.Superseded); got != 5 {
		t.Errorf("%d requests are superseded, want 5", got)
	}
	h.call("latest", 2)
	h.result("run:web", "unchanged", 1)
	h.requireUntouched(before)
	if got := h.calls("create --name=web-next"); got != 2 {
		t.Errorf("%d containers were created, want 2", got)
	}
}

func TestChangedOptionsAreDeployedAtTheStart(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest", "--env A=1")
	digest := h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	_ = h.program.Process.Kill()
	h.until("the end", h.exited)
	h.declare("web", "--env A=2")
	h.start()
	h.result("run:web", "deployed", 1)
	if c := h.requireOnly("web", digest); !slices.Contains(c.Config.Env, "A=2") {
		t.Errorf("the environment is %q", c.Config.Env)
	}
}

func TestContainerMadeByHandIsReplacedByTheDeclaredOne(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	digest := h.push("latest", "healthy")
	image := h.repository() + ":latest@" + digest
	h.docker("pull", image)
	h.docker("create", "--name=web", image)
	h.start()
	h.result("run:web", "deployed", 1)
	h.requireOnly("web", digest)
	if !strings.Contains(h.logText(), "a container that this program has not created is replaced") {
		t.Error("the log does not say it")
	}
	// Names that the program needs and did not make are refused, and nothing is touched.
	for _, suffix := range []string{"-next", "-previous"} {
		h.docker("create", "--name=web"+suffix, image)
		before := h.containers()
		h.push("latest", "healthy")
		h.call("latest", 1)
		h.until("the refusal", func() bool { return strings.Contains(h.logText(), "the container web"+suffix+" was not") })
		if after := h.containers(); !maps.EqualFunc(before, after, func(a, b fakeContainer) bool { return a.ID == b.ID && a.State == b.State }) {
			t.Errorf("%s: the containers were %v and are %v", suffix, before, after)
		}
		h.docker("rm", "web"+suffix)
	}
}

// killPoints are the commands of a deployment of web at which the program is killed, or
// the command fails, in order.
var killPoints = []string{
	"pull --quiet", "create --name=web-next", "stop web", "rename web web-previous", "rename web-next web", "start web", "rm --force web-previous",
}

// One deployment follows the other.
func TestDeploymentThatIsKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, health := range []string{"healthy", "unhealthy"} {
		for _, when := range []string{"before", "after"} {
			t.Run(health+" "+when, func(t *testing.T) {
				t.Parallel()
				h := newRunHost(t, "acme/app:latest", "--publish 8080:80")
				h.push("latest", "healthy")
				h.start()
				h.result("run:web", "deployed", 1)
				for _, command := range killPoints {
					if health == "unhealthy" && strings.HasPrefix(command, "rm") {
						continue
					}
					h.idle()
					t.Log(when, command)
					before := h.containers()["web"]
					digest := h.push("latest", health)
					h.inject(fault{command, when, "kill"})
					h.call("latest", 6)
					h.until("the kill", h.exited)
					h.start()
					if health == "healthy" {
						h.result("run:web", "deployed", 1)
						h.idle()
						h.requireOnly("web", digest)
						continue
					}
					h.result("run:web", "rolled back", 1)
					h.idle()
					h.requireUntouched(before)
				}
			})
		}
	}
}

func TestCommandThatFailsOnceIsRetried(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest", "--publish 8080:80")
	h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	for i, command := range append([]string{"container inspect", "container ls"}, killPoints...) {
		h.idle()
		t.Log(command)
		earlier := strings.Count(h.logText(), "no space left on device")
		digest := h.push("latest", "healthy")
		h.inject(fault{command, "before", "no space left on device"})
		h.call("latest", 6)
		h.until("the fault", func() bool { return strings.Count(h.logText(), "no space left on device") > earlier })
		h.result("run:web", "deployed", i+2)
		h.idle()
		h.requireOnly("web", digest)
		if got := h.metric(`dockerhub_deploys_total{outcome="rolled back",target="run:web"}`); got != 0 {
			t.Errorf("the image was rejected for a fault of the engine")
		}
	}
}

func TestBadImageIsRolledBackAndNotTriedAgain(t *testing.T) {
	t.Parallel()
	for health, says := range map[string]string{"unhealthy": "connection refused", "exits": "exited with status 3; its last output: the last words"} {
		t.Run(health, func(t *testing.T) {
			t.Parallel()
			h := newRunHost(t, "acme/app:^1.4", "--publish 8080:80")
			h.push("1.4.0", "healthy")
			h.start("-poll=200ms")
			h.result("run:web", "deployed", 1)
			before := h.containers()["web"]
			h.push("1.5.0", health)
			h.inject(fault{"rm --force", "before", "daemon is shutting down"}) // the rollback needs two attempts
			h.call("1.5.0", 6)
			h.until("the rollback", func() bool { return strings.Contains(h.logText(), "rolled back") })
			h.idle()
			h.requireUntouched(before)
			if !strings.Contains(h.logText(), says) || !strings.Contains(h.logText(), "daemon is shutting down") {
				t.Errorf("the log lacks %q or the failed rollback", says)
			}
			// A fixed version follows. It is older than the failed one and newer than the
			// running one.
			digest := h.push("1.4.1", "healthy")
			h.call("1.4.1", 1)
			h.result("run:web", "deployed", 2)
			h.idle()
			h.requireOnly("web", digest)
			// One each for 1.4.0 and 1.4.1, and for 1.5.0 one by its push, and one if a lookup
			// has found it before.
			if got := h.calls("create --name=web-next"); got > 4 {
				t.Errorf("%d containers were created, want at most 4: the lookups must not try the image again", got)
			}
		})
	}
}

func TestBadFirstImageLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.push("latest", "exits")
	h.start()
	h.result("run:web", "rolled back", 1)
	h.idle()
	if all := h.containers(); len(all) != 0 {
		t.Errorf("the containers are %v, want none", all)
	}
}

// A failed start says nothing about the image at first; one that never starts is rejected.
func TestFailedStart(t *testing.T) {
	t.Parallel()
	for times, outcome := range map[int]string{2: "deployed", 6: "rolled back"} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			h := newRunHost(t, "acme/app:latest")
			h.push("latest", "healthy")
			h.start()
			h.result("run:web", "deployed", 1)
			h.idle()
			before := h.containers()["web"]
			digest := h.push("latest", "healthy")
			var faults []fault
			for range times { // of each attempt the first start is that of the new container
				faults = append(faults, fault{"start web", "before", "address already in use"}, fault{"start web", "before", "pass"})
			}
			h.inject(faults...)
			h.call("latest", 1)
			if outcome == "deployed" {
				h.result("run:web", outcome, 2)
				h.idle()
				h.requireOnly("web", digest)
				return
			}
			h.result("run:web", outcome, 1)
			h.idle()
			h.requireUntouched(before)
		})
	}
}

func TestAwayEngineCostsNoAttempt(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.args = append(h.args, "-registry-retry=50ms")
	h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	h.idle()
	digest := h.push("latest", "healthy")
	var faults []fault
	for range 30 { // two for each attempt
		faults = append(faults, fault{"container ", "before", "Cannot connect to the Docker daemon"})
	}
	h.inject(faults...)
	h.call("latest", 1)
	h.result("run:web", "deployed", 2)
	h.idle()
	h.requireOnly("web", digest)
	if got := h.stored("deploy.order", webhook.Dead); got != 0 {
		t.Errorf("%d orders are dead", got)
	}
}

func TestCommandTimeoutDoesNotRejectImage(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.push("latest", "healthy")
	h.start("-command-timeout=4s")
	h.result("run:web", "deployed", 1)
	h.idle()
	digest := h.push("latest", "healthy")
	h.inject(fault{"start web", "before", "hold"})
	h.call("latest", 1)
	h.result("run:web", "deployed", 2)
	h.idle()
	h.requireOnly("web", digest)
	if !strings.Contains(h.logText(), "command timeout: killed after 4s") {
		t.Error("the log does not say so")
	}
}

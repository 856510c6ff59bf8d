package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestSixRequestsAreOneDeployment(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.startContainer("web", "latest")
	h.start()
	digest := h.pushImage("latest", app{health: "healthy"})
	h.deliverPush("latest", 6)
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("web", "latest", digest)
	if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
		t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
	}
	if got := h.metric(fmt.Sprintf(pushes, "superseded")); got != 5 {
		t.Fatalf(`h.metric(fmt.Sprintf(pushes, "superseded")) = %v, want %v`, got, 5)
	}
	if got := h.metric(fmt.Sprintf(deployRequests, "done")); got != 1 {
		t.Fatalf(`h.metric(fmt.Sprintf(deployRequests, "done")) = %v, want %v`, got, 1)
	}
}

func TestSameDigestIsUnchanged(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.startContainer("web", "latest")
	before := h.containers()["web"]
	h.start()
	h.deliverPush("latest", 1)
	h.waitForMetric(unchanged, 1)
	h.waitIdle()
	h.requireUntouched(before)
	if got := h.countCalls("stop") + h.countCalls("create --name=web.hookhouse-next"); got != 0 {
		t.Fatalf(`h.countCalls("stop")+h.countCalls("create --name=web.hookhouse-next") = %d, want 0`, got)
	}

	digest := h.pushImage("latest", app{health: "healthy"})
	h.deliverPush("latest", 2)
	h.waitForMetric(deployed, 1)
	h.deliverPush("latest", 2)
	h.waitForMetric(unchanged, 2)
	h.waitIdle()
	h.requireOnly("web", "latest", digest)
	if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
		t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
	}
}

func TestOlderVersionIsNotDeployed(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.4=web")
	h.startContainer("web", "1.4.5")
	before := h.containers()["web"]
	h.start()

	// Older than the running version, which the program knows from docker alone.
	h.pushImage("1.4.2", app{health: "healthy"})
	h.deliverPush("1.4.2", 1)
	h.waitForMetric(unchanged, 1)
	h.waitIdle()
	h.requireUntouched(before)

	// A release has several tags, of which only the full version matches.
	digest := h.pushImage("1.10.0", app{health: "healthy"})
	for _, tag := range []string{"1.10.0", "1.10", "1", "latest"} {
		h.deliverPush(tag, 2)
	}
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("web", "1.10.0", digest)

	// Older than the deployed version; a pre-release; another major version.
	for _, tag := range []string{"1.9.9", "1.11.0-rc.1", "2.0.0"} {
		h.pushImage(tag, app{health: "healthy"})
		h.deliverPush(tag, 1)
	}
	h.waitIdle()
	h.requireOnly("web", "1.10.0", digest)
	if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
		t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
	}
}

func TestHighestOfSimultaneousVersionsWins(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:>=1.0=web")
	h.startContainer("web", "1.0.0")
	h.pushImage("1.1.0", app{health: "healthy"})
	digest := h.pushImage("1.3.0", app{health: "healthy"})
	h.pushImage("1.2.0", app{health: "healthy"})
	h.start()
	for _, tag := range []string{"1.1.0", "1.3.0", "1.2.0"} {
		h.deliverPush(tag, 6)
	}
	h.waitUntil("1.3.0", func() bool { return h.containers()["web"].Config.Image == h.repository()+":1.3.0@"+digest })
	h.waitIdle()
	h.requireOnly("web", "1.3.0", digest)
}

func TestNewerPushReplacesWaitingRetry(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:nightly-*=web")
	h.startContainer("web", "nightly-1")
	h.pushImage("nightly-2", app{health: "healthy"})
	h.injectFaults(fault{"pull --quiet", "before", "no space left on device"}, fault{"pull --quiet", "before", "no space left on device"})
	h.start()
	h.deliverPush("nightly-2", 1)
	h.waitForMetric(fmt.Sprintf(deploys, "failed"), 1)
	digest := h.pushImage("nightly-3", app{health: "healthy"})
	h.deliverPush("nightly-3", 1)
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("web", "nightly-3", digest)
	if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
		t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
	}
	if got := h.logText(); !strings.Contains(got, "no space left on device") {
		t.Fatalf("h.logText() = %q, want it to contain \"no space left on device\"", got)
	}
}

func TestForgedPushes(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.4=web")
	h.startContainer("web", "1.4.0")
	before := h.containers()["web"]
	h.start()

	// Forged requests without the token.
	for _, wrong := range []string{"0", token + "0", "%20"} {
		r := h.sendPush(wrong, "1.5.0", 1)
		if r.Attempts[0].Status != 401 {
			t.Fatalf("r.Attempts[0].Status = %d, want 401", r.Attempts[0].Status)
		}
	}
	// A version that was never pushed, from a sender with the token.
	h.deliverPush("1.99.0", 6)
	h.waitForMetric(fmt.Sprintf(pushes, "dead"), 1)
	// Invalid tags.
	for _, tag := range []string{"--privileged", "1.4.0/../../x", "1.4.0@sha256:00", ""} {
		h.deliverPush(tag, 1)
	}
	h.waitIdle()
	h.requireUntouched(before)
	if got := h.countCalls("pull --quiet") + h.countCalls("stop"); got != 0 {
		t.Fatalf(`h.countCalls("pull --quiet")+h.countCalls("stop") = %d, want 0`, got)
	}
	if got := h.logText(); strings.Contains(got, token) {
		t.Fatalf("h.logText() = %q, want it not to contain %q", got, token)
	}

	// The invented version does not block a real one.
	digest := h.pushImage("1.5.0", app{health: "healthy"})
	h.deliverPush("1.5.0", 6)
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("web", "1.5.0", digest)
}

func TestUnavailableRegistryIsRetried(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.startContainer("web", "latest")
	before := h.containers()["web"]
	digest := h.pushImage("latest", app{health: "healthy"})
	h.start()
	h.down.Store(true)
	h.deliverPush("latest", 6)
	h.waitForMetric(`hookhouse_attempt_seconds_count{state="waiting",type="dockerhub.push"}`, 2)
	h.requireUntouched(before)
	h.down.Store(false)
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("web", "latest", digest)
	if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
		t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
	}
}

func TestDeploymentsOfOneTargetRunOneAtATime(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.0=web", "-watch", "acme/app:2.*=other")
	h.startContainer("web", "1.0.0")
	h.startContainer("other", "2.0.0")
	h.pushImage("1.1.0", app{health: "healthy"})
	last := h.pushImage("1.2.0", app{health: "healthy"})
	other := h.pushImage("2.1.0", app{health: "healthy"})
	h.injectFaults(fault{"image inspect", "after", "hold"}) // hangs until releaseHold
	h.start()
	h.deliverPush("1.1.0", 1)
	h.waitUntil("the first deploy", func() bool { return h.countCalls("image inspect") > 0 })
	h.deliverPush("1.2.0", 6)
	h.deliverPush("2.1.0", 6)
	h.waitForMetric(fmt.Sprintf(deployRequests, "blocked"), 1)
	if got, want := h.containers()["web"].Config.Image, h.repository()+":1.0.0"; got != want {
		t.Fatalf(`h.containers()["web"].Config.Image = %q, want %q`, got, want)
	}
	h.releaseHold()
	h.waitUntil("both deployments", func() bool {
		all := h.containers()
		return all["web"].Config.Image == h.repository()+":1.2.0@"+last && all["other"].Config.Image == h.repository()+":2.1.0@"+other
	})
	h.waitIdle()
	if got := h.containers(); len(got) != 2 {
		t.Fatalf("len(h.containers()) = %d, want 2: %v", len(got), got)
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestUnhealthyContainerIsRolledBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flags []string
		app   app
		says  string
	}{
		"unhealthy":                         {nil, app{health: "unhealthy"}, "connection refused"},
		"unhealthy, with a published port":  {[]string{"--publish=8080:80/tcp"}, app{health: "unhealthy"}, "connection refused"},
		"exits":                             {nil, app{health: "exits", bare: true}, "exited with status 3"},
		"exits and is restarted":            {[]string{"--restart=always"}, app{health: "exits"}, "exited with status 3"},
		"exits, on the network of the host": {[]string{"--network=host"}, app{health: "exits", bare: true}, "exited with status 3"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:^1.4=web")
			h.startContainer("web", "1.4.0", test.flags...)
			before := h.containers()["web"]
			h.start()
			h.pushImage("1.5.0", test.app)
			h.deliverPush("1.5.0", 6)
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireUntouched(before)
			if got := h.metric(fmt.Sprintf(deployRequests, "dead")); got != 1 {
				t.Fatalf(`a rejected image must not be retried: h.metric(fmt.Sprintf(deployRequests, "dead")) = %v, want %v`, got, 1)
			}
			if got := h.logText(); !strings.Contains(got, "; rolled back web") {
				t.Fatalf("h.logText() = %q, want it to contain \"; rolled back web\"", got)
			}
			if got := h.logText(); !strings.Contains(got, test.says) {
				t.Fatalf("h.logText() = %q, want it to contain %q", got, test.says)
			}

			// A fixed version follows. It is older than the failed one and newer than the
			// running one.
			digest := h.pushImage("1.4.1", app{health: "healthy"})
			h.deliverPush("1.4.1", 1)
			h.waitForMetric(deployed, 1)
			h.waitIdle()
			h.requireOnly("web", "1.4.1", digest)
		})
	}
}

func TestFailedCommandIsRetried(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"pull --quiet", "create --name=web.hookhouse-next", "network connect", "stop web", "rename web web.hookhouse-previous",
		"rename web.hookhouse-next web", "rm --force web.hookhouse-previous", "container inspect", "image inspect", "container ls"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("web", "latest", "--publish=127.0.0.1:8080:80/tcp", "--network=front")
			h.docker("network", "connect", "--alias=app", "back", "web")
			h.injectFaults(fault{command, "before", "daemon is shutting down"})
			digest := h.pushImage("latest", app{health: "healthy"})
			h.start()
			h.deliverPush("latest", 6)
			h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
			h.waitIdle()
			h.requireOnly("web", "latest", digest)
			if got := h.logText(); !strings.Contains(got, "daemon is shutting down") {
				t.Fatalf("h.logText() = %q, want it to contain \"daemon is shutting down\"", got)
			}
		})
	}
}

func TestContainerThatIsNeverHealthyIsRolledBackOnce(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"side by side": nil, "with a published port": {"--publish=8080:80/tcp"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web", "-health-timeout=2s")
			h.startContainer("web", "latest", flags...)
			before := h.containers()["web"]
			h.start()
			h.pushImage("latest", app{health: "starting"})
			h.deliverPush("latest", 6)
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireUntouched(before)
			if got := h.logText(); !strings.Contains(got, "not healthy within 2s; rolled back") {
				t.Fatalf("h.logText() = %q, want it to contain \"not healthy within 2s; rolled back\"", got)
			}
			if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
				t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
			}
			if got := h.metric(fmt.Sprintf(deployRequests, "dead")); got != 1 {
				t.Fatalf(`h.metric(fmt.Sprintf(deployRequests, "dead")) = %v, want %v`, got, 1)
			}
		})
	}
}

func TestRejectedImageIsNotRetriedAfterFailedRollback(t *testing.T) {
	t.Parallel()
	for _, point := range []fault{
		{"rm --force web.hookhouse-next", "before", "daemon is shutting down"},
		{"rm --force web.hookhouse-next", "before", "kill"},
	} {
		t.Run(point.Do, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("web", "latest", "--publish=8080:80/tcp")
			before := h.containers()["web"]
			h.pushImage("latest", app{health: "unhealthy"})
			h.injectFaults(point)
			h.start()
			h.deliverPush("latest", 6)
			if point.Do == "kill" {
				h.waitUntil("the kill", h.exited)
				h.start()
			}
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireUntouched(before)
			if got := h.countCalls("create --name=web.hookhouse-next"); got != 1 {
				t.Fatalf(`h.countCalls("create --name=web.hookhouse-next") = %d, want %d`, got, 1)
			}
			if got := h.metric(fmt.Sprintf(deployRequests, "dead")); got != 1 {
				t.Fatalf(`h.metric(fmt.Sprintf(deployRequests, "dead")) = %v, want %v`, got, 1)
			}

			// The next push is tried, even if it is the same image.
			h.deliverPush("latest", 1)
			h.waitUntil("another deploy", func() bool { return h.countCalls("create --name=web.hookhouse-next") == 2 })
			h.waitIdle()
			h.requireUntouched(before)
		})
	}
}

func TestUnavailableEngineDoesNotRejectImage(t *testing.T) {
	t.Parallel()
	const gone = "Cannot connect to the Docker daemon"
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, "-watch", "acme/app:latest=web")
		h.startContainer("web", "latest")
		digest := h.pushImage("latest", app{health: "healthy"})
		h.injectFaults(fault{"container ls", "before", "pass"}, fault{"container ls", "before", gone}, fault{"start web.hookhouse-next", "before", gone})
		h.start()
		h.deliverPush("latest", 6)
		h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
		h.waitIdle()
		h.requireOnly("web", "latest", digest)
		if got := h.metric(rolledBack); got != 0 {
			t.Fatalf("h.metric(rolledBack) = %v, want 0", got)
		}
	})
	t.Run("compose", func(t *testing.T) {
		t.Parallel()
		h, _ := newComposeHost(t)
		h.injectFaults(fault{"container ls", "before", gone}, fault{"up --detach", "before", gone})
		h.start()
		digest := h.pushImage("1.5.0", app{health: "healthy"})
		h.deliverPush("1.5.0", 6)
		h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
		h.waitIdle()
		h.requireOnly("shop-web-1", "1.5.0", digest)
		if got := h.metric(rolledBack); got != 0 {
			t.Fatalf("h.metric(rolledBack) = %v, want 0", got)
		}
	})
}

func TestCommandTimeoutDoesNotRejectImage(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{"docker": "start web.hookhouse-next", "compose": "up --detach"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, container := newHost(t, "-watch", "acme/app:^1.4=web"), "web"
			if name == "compose" {
				h, _ = newComposeHost(t)
				container = "shop-web-1"
			} else {
				h.startContainer("web", "1.4.0")
			}
			h.args = append(h.args, "-command-timeout=4s")
			h.injectFaults(fault{command, "before", "hold"})
			h.start()
			digest := h.pushImage("1.5.0", app{health: "healthy"})
			h.deliverPush("1.5.0", 6)
			h.waitUntil("the end of the request", func() bool {
				return h.metric(fmt.Sprintf(deployRequests, "done"))+h.metric(fmt.Sprintf(deployRequests, "dead")) > 0
			})
			h.waitIdle()
			h.requireOnly(container, "1.5.0", digest)
			if got := h.metric(rolledBack); got != 0 {
				t.Fatalf("h.metric(rolledBack) = %v, want 0", got)
			}
			if got := h.logText(); !strings.Contains(got, "command timeout: killed after 4s") {
				t.Fatalf("h.logText() = %q, want it to contain \"command timeout: killed after 4s\"", got)
			}
		})
	}
}

package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnUnhealthyContainerIsRolledBack(t *testing.T) {
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
			h.running("web", "1.4.0", test.flags...)
			before := h.containers()["web"]
			h.start()
			h.push("1.5.0", test.app)
			h.hub("1.5.0", 6)
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireUntouched(before)
			require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "dead")), "an image that does not run is not tried again")
			require.Contains(t, h.logged(), "web is as before")
			require.Contains(t, h.logged(), test.says)

			// A repaired one comes, older than the one that failed, newer than what runs.
			digest := h.push("1.4.1", app{health: "healthy"})
			h.hub("1.4.1", 1)
			h.waitFor(deployed, 1)
			h.idle()
			h.requireOnly("web", "1.4.1", digest)
		})
	}
}

func TestACommandThatFailsLeavesTheOldContainerRunningAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"pull --quiet", "create --name=web.hookhouse-next", "network connect", "stop web", "rename web web.hookhouse-previous",
		"rename web.hookhouse-next web", "rm --force web.hookhouse-previous", "container inspect", "image inspect", "container ls"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.running("web", "latest", "--publish=127.0.0.1:8080:80/tcp", "--network=front")
			h.docker("network", "connect", "--alias=app", "back", "web")
			h.fault(fault{command, "before", "daemon is shutting down"})
			digest := h.push("latest", app{health: "healthy"})
			h.start()
			h.hub("latest", 6)
			h.waitFor(fmt.Sprintf(orders, "done"), 1)
			h.idle()
			h.requireOnly("web", "latest", digest)
			require.Contains(t, h.logged(), "daemon is shutting down")
		})
	}
}

func TestAContainerThatIsNeverHealthyIsRolledBackOnceAndForGood(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"side by side": nil, "with a published port": {"--publish=8080:80/tcp"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web", "-healthy-within=2s")
			h.running("web", "latest", flags...)
			before := h.containers()["web"]
			h.start()
			h.push("latest", app{health: "starting"})
			h.hub("latest", 6)
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireUntouched(before)
			require.Contains(t, h.logged(), "not healthy within 2s; rolled back")
			require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
			require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "dead")))
		})
	}
}

func TestARejectedContainerThatCannotBeTakenBackAtFirstIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, point := range []fault{
		{"rm --force web.hookhouse-next", "before", "daemon is shutting down"},
		{"rm --force web.hookhouse-next", "before", "kill"},
	} {
		t.Run(point.Do, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.running("web", "latest", "--publish=8080:80/tcp")
			before := h.containers()["web"]
			h.push("latest", app{health: "unhealthy"})
			h.fault(point)
			h.start()
			h.hub("latest", 6)
			if point.Do == "kill" {
				h.wait("the kill", h.hasEnded)
				h.start()
			}
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireUntouched(before)
			require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
			require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "dead")))

			// The next push is tried, also of the same image.
			h.hub("latest", 1)
			h.wait("another deploy", func() bool { return h.calls("create --name=web.hookhouse-next") == 2 })
			h.idle()
			h.requireUntouched(before)
		})
	}
}

func TestAnEngineThatIsNotThereSaysNothingOfTheImage(t *testing.T) {
	t.Parallel()
	const gone = "Cannot connect to the Docker daemon"
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, "-watch", "acme/app:latest=web")
		h.running("web", "latest")
		digest := h.push("latest", app{health: "healthy"})
		h.fault(fault{"container ls", "before", "pass"}, fault{"container ls", "before", gone}, fault{"start web.hookhouse-next", "before", gone})
		h.start()
		h.hub("latest", 6)
		h.waitFor(fmt.Sprintf(orders, "done"), 1)
		h.idle()
		h.requireOnly("web", "latest", digest)
		require.Zero(t, h.metric(rolledBack))
	})
	t.Run("compose", func(t *testing.T) {
		t.Parallel()
		h, _ := composed(t)
		h.fault(fault{"container ls", "before", gone}, fault{"up --detach", "before", gone})
		h.start()
		digest := h.push("1.5.0", app{health: "healthy"})
		h.hub("1.5.0", 6)
		h.waitFor(fmt.Sprintf(orders, "done"), 1)
		h.idle()
		h.requireOnly("shop-web-1", "1.5.0", digest)
		require.Zero(t, h.metric(rolledBack))
	})
}

func TestACommandThatTakesTooLongSaysNothingOfTheImage(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{"docker": "start web.hookhouse-next", "compose": "up --detach"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, container := newHost(t, "-watch", "acme/app:^1.4=web"), "web"
			if name == "compose" {
				h, _ = composed(t)
				container = "shop-web-1"
			} else {
				h.running("web", "1.4.0")
			}
			h.args = append(h.args, "-deploy-within=4s")
			h.fault(fault{command, "before", "hold"})
			h.start()
			digest := h.push("1.5.0", app{health: "healthy"})
			h.hub("1.5.0", 6)
			h.wait("the end of the order", func() bool {
				return h.metric(fmt.Sprintf(orders, "done"))+h.metric(fmt.Sprintf(orders, "dead")) > 0
			})
			h.idle()
			h.requireOnly(container, "1.5.0", digest)
			require.Zero(t, h.metric(rolledBack))
			require.Contains(t, h.logged(), "took too long: killed after 4s")
		})
	}
}

package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// points are the commands of a deploy of web at which the program is killed, in
// order. One that does not come for a container is not reached.
var points = []fault{
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

func TestADeployThatIsKilledIsFinishedAtTheNextStart(t *testing.T) {
	t.Parallel()
	for what, flags := range map[string][]string{
		"side by side":          {"--network=front"},
		"with a published port": {"--network=front", "--publish=8080:80/tcp"},
	} {
		for _, point := range points {
			t.Run(fmt.Sprint(what, " ", point.When, " ", point.Command), func(t *testing.T) {
				t.Parallel()
				h := newHost(t, "-watch", "acme/app:latest=web")
				h.build = "program.plain"
				h.running("web", "latest", flags...)
				h.docker("network", "connect", "--alias=app", "back", "web")
				digest := h.push("latest", app{health: "healthy"})
				h.start()
				h.fault(point)
				h.hub("latest", 6)
				h.wait("the kill", h.hasEnded)
				require.Equal(t, -1, h.program.ProcessState.ExitCode())
				h.start()
				h.waitFor(fmt.Sprintf(orders, "done"), 1)
				h.idle()
				h.requireOnly("web", "latest", digest)
			})
		}
	}
}

func TestADeployThatIsKilledAndThenFailsIsRolledBack(t *testing.T) {
	t.Parallel()
	for _, point := range points[:6] {
		t.Run(point.When+" "+point.Command, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.build = "program.plain"
			h.running("web", "latest", "--publish=8080:80/tcp")
			h.docker("network", "connect", "back", "web")
			before := h.containers()["web"]
			h.push("latest", app{health: "unhealthy"})
			h.start()
			h.fault(point)
			h.hub("latest", 6)
			h.wait("the kill", h.hasEnded)
			h.start()
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireUntouched(before)
		})
	}
}

func TestTheOldContainerRunsAgainAfterAKillAlsoWhileTheRegistryIsDown(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.running("web", "latest", "--publish=8080:80/tcp")
	before := h.containers()["web"]
	digest := h.push("latest", app{health: "healthy"})
	h.start()
	h.fault(fault{"stop web", "after", "kill"})
	h.hub("latest", 6)
	h.wait("the kill", h.hasEnded)
	require.False(t, h.containers()["web"].State.Running)
	require.Contains(t, h.containers(), "web.hookhouse-next")
	h.down.Store(true)
	h.start()
	h.waitFor(fmt.Sprintf(deploys, "failed"), 1)
	h.requireUntouched(before)
	h.down.Store(false)
	h.waitFor(deployed, 1)
	h.requireOnly("web", "latest", digest)
}

func TestWhatWasAcknowledgedIsDeployedAfterAKill(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web", "-quiet=2s")
	h.running("web", "latest")
	digest := h.push("latest", app{health: "healthy"})
	h.start()
	h.hub("latest", 6)
	require.NoError(t, h.program.Process.Kill())
	h.wait("the kill", h.hasEnded)
	h.start()
	h.waitFor(deployed, 1)
	h.requireOnly("web", "latest", digest)
}

func TestSIGTERMLetsADeployFinish(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.running("web", "latest")
	digest := h.push("latest", app{health: "healthy"})
	h.fault(fault{"pull --quiet", "before", "hold"})
	h.start()
	h.hub("latest", 6)
	h.wait("the pull", func() bool { return h.calls("pull --quiet") == 1 })
	url := h.url
	code := make(chan int)
	go func() { code <- h.terminate() }()
	h.wait("no more calls", func() bool {
		res, err := http.Get(url + "/healthz")
		if err == nil {
			_ = res.Body.Close()
		}
		return err != nil
	})
	h.release()
	require.Zero(t, <-code)
	h.requireOnly("web", "latest", digest)
}

func TestSIGTERMOfAnIdleProgramEndsItWithCodeZero(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.start()
	h.hub("other", 1)
	h.waitFor(fmt.Sprintf(pushes, "ignored"), 1)
	require.Contains(t, h.get("/healthz"), `"ok":true`)
	require.Zero(t, h.terminate())
}

package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABurstOfSixCallsIsOneDeploy(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.running("web", "latest")
	h.start()
	digest := h.push("latest", app{health: "healthy"})
	h.hub("latest", 6)
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("web", "latest", digest)
	require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
	require.EqualValues(t, 5, h.metric(fmt.Sprintf(pushes, "superseded")))
	require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "done")))
}

func TestTheSameDigestAgainIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.running("web", "latest")
	before := h.containers()["web"]
	h.start()
	h.hub("latest", 1)
	h.waitFor(leftAlone, 1)
	h.idle()
	h.requireUntouched(before)
	require.Zero(t, h.calls("stop")+h.calls("create --name=web.hookhouse-next"))

	digest := h.push("latest", app{health: "healthy"})
	h.hub("latest", 2)
	h.waitFor(deployed, 1)
	h.hub("latest", 2)
	h.waitFor(leftAlone, 2)
	h.idle()
	h.requireOnly("web", "latest", digest)
	require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
}

func TestAnOlderVersionAfterANewerIsNotDeployed(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.4=web")
	h.running("web", "1.4.5")
	before := h.containers()["web"]
	h.start()

	// Older than what runs, of which the program knows from docker alone.
	h.push("1.4.2", app{health: "healthy"})
	h.hub("1.4.2", 1)
	h.waitFor(leftAlone, 1)
	h.idle()
	h.requireUntouched(before)

	// A release is many tags, of which the full version counts.
	digest := h.push("1.10.0", app{health: "healthy"})
	for _, tag := range []string{"1.10.0", "1.10", "1", "latest"} {
		h.hub(tag, 2)
	}
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("web", "1.10.0", digest)

	// Older than what was deployed; a pre-release; another major version.
	for _, tag := range []string{"1.9.9", "1.11.0-rc.1", "2.0.0"} {
		h.push(tag, app{health: "healthy"})
		h.hub(tag, 1)
	}
	h.idle()
	h.requireOnly("web", "1.10.0", digest)
	require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
}

func TestVersionsPushedAtOnceEndWithTheHighest(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:>=1.0=web")
	h.running("web", "1.0.0")
	h.push("1.1.0", app{health: "healthy"})
	digest := h.push("1.3.0", app{health: "healthy"})
	h.push("1.2.0", app{health: "healthy"})
	h.start()
	for _, tag := range []string{"1.1.0", "1.3.0", "1.2.0"} {
		h.hub(tag, 6)
	}
	h.wait("1.3.0", func() bool { return h.containers()["web"].Config.Image == h.repository()+":1.3.0@"+digest })
	h.idle()
	h.requireOnly("web", "1.3.0", digest)
}

func TestANewerPushTakesThePlaceOfOneThatWaitsForItsRetry(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:nightly-*=web")
	h.running("web", "nightly-1")
	h.push("nightly-2", app{health: "healthy"})
	h.fault(fault{"pull --quiet", "before", "no space left on device"}, fault{"pull --quiet", "before", "no space left on device"})
	h.start()
	h.hub("nightly-2", 1)
	h.waitFor(fmt.Sprintf(deploys, "failed"), 1)
	digest := h.push("nightly-3", app{health: "healthy"})
	h.hub("nightly-3", 1)
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("web", "nightly-3", digest)
	require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
	require.Contains(t, h.logged(), "no space left on device")
}

func TestTheRegistryIsBelievedAndNotTheCall(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.4=web")
	h.running("web", "1.4.0")
	before := h.containers()["web"]
	h.start()

	// A forged call, without the token.
	for _, wrong := range []string{"0", token + "0", "%20"} {
		r := h.call(wrong, "1.5.0", 1)
		require.Equal(t, 401, r.Attempts[0].Status)
	}
	// A version that nobody has pushed, by one who knows the token.
	h.hub("1.99.0", 6)
	h.waitFor(fmt.Sprintf(pushes, "dead"), 1)
	// Tags that are none.
	for _, tag := range []string{"--privileged", "1.4.0/../../x", "1.4.0@sha256:00", ""} {
		h.hub(tag, 1)
	}
	h.idle()
	h.requireUntouched(before)
	require.Zero(t, h.calls("pull --quiet")+h.calls("stop"))
	require.NotContains(t, h.logged(), token)

	// The invented one does not stand in the way of a real one.
	digest := h.push("1.5.0", app{health: "healthy"})
	h.hub("1.5.0", 6)
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("web", "1.5.0", digest)
}

func TestARegistryThatIsDownIsAskedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	h.running("web", "latest")
	before := h.containers()["web"]
	digest := h.push("latest", app{health: "healthy"})
	h.start()
	h.down.Store(true)
	h.hub("latest", 6)
	h.waitFor(`hookhouse_attempt_seconds_count{state="waiting",type="dockerhub.push"}`, 2)
	h.requireUntouched(before)
	h.down.Store(false)
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("web", "latest", digest)
	require.Equal(t, 1, h.calls("create --name=web.hookhouse-next"))
}

func TestOneContainerWaitsForAnotherDeployOfItsOwnAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.0=web", "-watch", "acme/app:2.*=other")
	h.running("web", "1.0.0")
	h.running("other", "2.0.0")
	h.push("1.1.0", app{health: "healthy"})
	last := h.push("1.2.0", app{health: "healthy"})
	other := h.push("2.1.0", app{health: "healthy"})
	h.fault(fault{"image inspect", "after", "hold"}) // does not end
	h.start()
	h.hub("1.1.0", 1)
	h.wait("the first deploy", func() bool { return h.calls("image inspect") > 0 })
	h.hub("1.2.0", 6)
	h.hub("2.1.0", 6)
	h.waitFor(fmt.Sprintf(orders, "blocked"), 1)
	require.Equal(t, h.repository()+":1.0.0", h.containers()["web"].Config.Image)
	h.release()
	h.wait("both", func() bool {
		all := h.containers()
		return all["web"].Config.Image == h.repository()+":1.2.0@"+last && all["other"].Config.Image == h.repository()+":2.1.0@"+other
	})
	h.idle()
	require.Len(t, h.containers(), 2)
}

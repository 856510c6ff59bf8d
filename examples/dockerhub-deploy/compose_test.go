package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const composeFile = `
services:
  web:
    image: REPOSITORY:1.4.0
    ports: ["8080:80/tcp"]
    environment: {GREETING: hello}
`

// newComposeHost returns a host with a running service of a Compose file.
func newComposeHost(t *testing.T) (h *host, old string) {
	t.Helper()
	return newComposeHostFrom(t, composeFile)
}

func newComposeHostFrom(t *testing.T, text string) (h *host, old string) {
	t.Helper()
	h = newHost(t, "-watch", "acme/app:^1.4=web")
	require.NoError(t, os.Mkdir(filepath.Join(h.dir, "shop"), 0o700))
	file := filepath.Join(h.dir, "shop", "compose.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "REPOSITORY", h.repository())), 0o600))
	old = h.pushImage("1.4.0", app{health: "healthy"})
	h.docker("compose", "--file="+file, "up", "--detach", "web")
	h.args = append(h.args, "-compose", file)
	return h, old
}

// requireService checks that the only container is one of the service and runs the
// image of 1.4.0, untouched or after a rollback.
func (h *host) requireService(old string) {
	h.t.Helper()
	all := h.containers()
	require.Len(h.t, all, 1)
	require.True(h.t, all["shop-web-1"].State.Running)
	require.Contains(h.t, []string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old}, all["shop-web-1"].Config.Image)
}

// countUps returns how often the program has run docker compose up.
func (h *host) countUps() int { return strings.Count(h.read("calls"), " --file=- up ") }

func TestComposeUpdatesService(t *testing.T) {
	t.Parallel()
	h, _ := newComposeHost(t)
	h.start()
	digest := h.pushImage("1.5.0", app{health: "healthy"})
	h.deliverPush("1.5.0", 6)
	h.waitForMetric(deployed, 1)
	h.waitIdle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Contains(t, h.docker("container", "inspect", "shop-web-1"), "GREETING=hello")
	h.deliverPush("1.5.0", 1)
	h.waitForMetric(unchanged, 1)
	h.pushImage("1.4.9", app{health: "healthy"})
	h.deliverPush("1.4.9", 1)
	h.waitIdle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Equal(t, 1, h.countUps())
}

func TestComposeRollsBackUnhealthyService(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]fault{
		"unhealthy": nil,
		"up fails":  {{"up --detach", "before", "network not found"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, old := newComposeHost(t)
			h.injectFaults(faults...)
			h.start()
			h.pushImage("1.5.0", app{health: "unhealthy"})
			h.deliverPush("1.5.0", 6)
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireService(old)
		})
	}
}

func TestComposeFinishesAfterKill(t *testing.T) {
	t.Parallel()
	for _, point := range []fault{{"pull --quiet web", "after", "kill"}, {"up --detach", "before", "kill"}, {"up --detach", "during", "kill"}, {"up --detach", "after", "kill"}} {
		for _, health := range []string{"healthy", "unhealthy"} {
			t.Run(fmt.Sprint(point.When, " ", point.Command, " ", health), func(t *testing.T) {
				t.Parallel()
				h, old := newComposeHost(t)
				h.start()
				digest := h.pushImage("1.5.0", app{health: health})
				h.injectFaults(point)
				h.deliverPush("1.5.0", 6)
				h.waitUntil("the kill", h.exited)
				h.start()
				if health == "healthy" {
					h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
					h.waitIdle()
					h.requireOnly("shop-web-1", "1.5.0", digest)
					return
				}
				h.waitForMetric(fmt.Sprintf(deployRequests, "dead"), 1)
				h.waitIdle()
				h.requireService(old)
			})
		}
	}
}

func TestComposeRollsBackServiceThatIsNeverHealthy(t *testing.T) {
	t.Parallel()
	// The late one would be healthy after a second wait.
	for _, health := range []string{"starting", "late"} {
		t.Run(health, func(t *testing.T) {
			t.Parallel()
			h, old := newComposeHost(t)
			h.args = append(h.args, "-health-timeout=2s")
			h.start()
			h.pushImage("1.5.0", app{health: health})
			h.deliverPush("1.5.0", 6)
			h.waitForMetric(rolledBack, 1)
			h.waitIdle()
			h.requireService(old)
			require.Contains(t, h.logText(), "not healthy within 2s; rolled back")
			require.Equal(t, 2, h.countUps(), "the update and the rollback")
			require.EqualValues(t, 1, h.metric(fmt.Sprintf(deployRequests, "dead")))
			require.EqualValues(t, 1, h.metric(`hookhouse_attempt_seconds_count{state="dead",type="deploy.order"}`))
			require.Zero(t, h.metric(`hookhouse_attempt_seconds_count{state="waiting",type="deploy.order"}`))
		})
	}
}

func TestComposeDoesNotRetryRejectedImageAfterFailedRollback(t *testing.T) {
	t.Parallel()
	h, old := newComposeHost(t)
	h.injectFaults(fault{"up --detach", "before", "pass"}, fault{"up --detach", "before", "daemon is shutting down"})
	h.start()
	h.pushImage("1.5.0", app{health: "unhealthy"})
	h.deliverPush("1.5.0", 6)
	h.waitForMetric(rolledBack, 1)
	h.waitIdle()
	h.requireService(old)
	require.Contains(t, h.logText(), "recovery of web failed")
	require.Equal(t, 3, h.countUps(), "the update, a failed rollback, and a rollback")
	require.EqualValues(t, 1, h.metric(fmt.Sprintf(deployRequests, "dead")))

	// The next push of the same image is tried.
	h.deliverPush("1.5.0", 1)
	h.waitForMetric(rolledBack, 2)
	h.waitIdle()
	h.requireService(old)
	require.Equal(t, 5, h.countUps())
}

func TestComposeIgnoresOneOffContainers(t *testing.T) {
	t.Parallel()
	for name, scale := range map[string]string{"one container": "", "three": "\n    scale: 3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "services:\n  web:\n    image: REPOSITORY:1.4.0" + scale
			h, _ := newComposeHostFrom(t, text)
			h.docker("compose", "--file="+filepath.Join(h.dir, "shop", "compose.yaml"), "run", "web")
			h.start()
			digest := h.pushImage("1.5.0", app{health: "healthy"})
			h.deliverPush("1.5.0", 6)
			h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
			h.waitIdle()
			require.EqualValues(t, 1, h.metric(deployed))
			left := 0
			for name, c := range h.containers() {
				if strings.HasPrefix(name, "shop-web-run-") {
					require.Equal(t, h.repository()+":1.4.0", c.Config.Image)
					left++
					continue
				}
				require.True(t, c.State.Running)
				require.Equal(t, h.repository()+":1.5.0@"+digest, c.Config.Image)
			}
			require.Equal(t, 1, left)
			require.Equal(t, 1, h.countUps())
		})
	}
}

func TestComposeUsesVariablesAndAllFiles(t *testing.T) {
	t.Parallel()
	h, _ := newComposeHostFrom(t, `
services:
  web:
    image: REPOSITORY:1.4.0
    environment: {PASSWORD: "${DB_PASSWORD}", PLACE: "${PLACE}", BLANK: "${NOT_THERE}", PORT: "${PORT:-80}"}
`)
	shop := filepath.Join(h.dir, "shop")
	require.NoError(t, os.WriteFile(filepath.Join(shop, ".env"), []byte("PLACE=here\n"), 0o600))
	second := filepath.Join(shop, "compose.override.yaml")
	require.NoError(t, os.WriteFile(second, []byte("services: {web: {environment: {DEBUG: 1}}}"), 0o600))
	h.env = append(h.env, "DB_PASSWORD=s3cret", "OTHER=x")
	h.args = append(h.args, "-compose", second, "-env", "DB_PASSWORD")
	h.start()
	require.Contains(t, h.logText(), "NOT_THERE", "a variable that becomes blank is reported at the start")
	require.NotContains(t, h.logText(), "DB_PASSWORD")
	digest := h.pushImage("1.5.0", app{health: "healthy"})
	h.deliverPush("1.5.0", 6)
	h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
	h.requireOnly("shop-web-1", "1.5.0", digest)
	inspected := h.docker("container", "inspect", "shop-web-1")
	for _, variable := range []string{"PASSWORD=s3cret", "PLACE=here", "BLANK=", "PORT=80", "DEBUG=1"} {
		require.Contains(t, inspected, quoted(variable))
	}
	require.NotContains(t, h.logText()+h.read("calls"), "s3cret")
}

func TestComposeDoesNotRollBackIfHealthIsUnknown(t *testing.T) {
	t.Parallel()
	h, _ := newComposeHost(t)
	h.start()
	digest := h.pushImage("1.5.0", app{health: "healthy"})
	h.injectFaults(fault{"up --detach", "after", "kill"})
	h.deliverPush("1.5.0", 6)
	h.waitUntil("the kill", h.exited)
	h.injectFaults(fault{"container inspect", "before", "daemon is shutting down"})
	h.start()
	h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
	h.waitIdle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Contains(t, h.logText(), "recover web: docker container inspect")
	require.Equal(t, 1, h.countUps())
}

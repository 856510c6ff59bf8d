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

// composed starts a service of a Compose file, as a person would.
func composed(t *testing.T) (h *host, old string) {
	t.Helper()
	return composedOf(t, composeFile)
}

func composedOf(t *testing.T, text string) (h *host, old string) {
	t.Helper()
	h = newHost(t, "-watch", "acme/app:^1.4=web")
	require.NoError(t, os.Mkdir(filepath.Join(h.dir, "shop"), 0o700))
	file := filepath.Join(h.dir, "shop", "compose.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "REPOSITORY", h.repository())), 0o600))
	old = h.push("1.4.0", app{health: "healthy"})
	h.docker("compose", "--file="+file, "up", "--detach", "web")
	h.args = append(h.args, "-compose", file)
	return h, old
}

// requireService checks that the service runs the image of 1.4.0, as it was or
// once more, and nothing else.
func (h *host) requireService(old string) {
	h.t.Helper()
	all := h.containers()
	require.Len(h.t, all, 1)
	require.True(h.t, all["shop-web-1"].State.Running)
	require.Contains(h.t, []string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old}, all["shop-web-1"].Config.Image)
}

// ups is how often the service was started by the program.
func (h *host) ups() int { return strings.Count(h.read("calls"), " --file=- up ") }

func TestAServiceOfAComposeFileIsUpdated(t *testing.T) {
	t.Parallel()
	h, _ := composed(t)
	h.start()
	digest := h.push("1.5.0", app{health: "healthy"})
	h.hub("1.5.0", 6)
	h.waitFor(deployed, 1)
	h.idle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Contains(t, h.docker("container", "inspect", "shop-web-1"), "GREETING=hello")
	h.hub("1.5.0", 1)
	h.waitFor(leftAlone, 1)
	h.push("1.4.9", app{health: "healthy"})
	h.hub("1.4.9", 1)
	h.idle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Equal(t, 1, h.ups())
}

func TestAnUnhealthyServiceGoesBackToItsOldImage(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]fault{
		"unhealthy": nil,
		"up fails":  {{"up --detach", "before", "network not found"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, old := composed(t)
			h.fault(faults...)
			h.start()
			h.push("1.5.0", app{health: "unhealthy"})
			h.hub("1.5.0", 6)
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireService(old)
		})
	}
}

func TestAnUpdateOfAServiceThatIsKilledIsFinished(t *testing.T) {
	t.Parallel()
	for _, point := range []fault{{"pull --quiet web", "after", "kill"}, {"up --detach", "before", "kill"}, {"up --detach", "during", "kill"}, {"up --detach", "after", "kill"}} {
		for _, health := range []string{"healthy", "unhealthy"} {
			t.Run(fmt.Sprint(point.When, " ", point.Command, " ", health), func(t *testing.T) {
				t.Parallel()
				h, old := composed(t)
				h.start()
				digest := h.push("1.5.0", app{health: health})
				h.fault(point)
				h.hub("1.5.0", 6)
				h.wait("the kill", h.hasEnded)
				h.start()
				if health == "healthy" {
					h.waitFor(fmt.Sprintf(orders, "done"), 1)
					h.idle()
					h.requireOnly("shop-web-1", "1.5.0", digest)
					return
				}
				h.waitFor(fmt.Sprintf(orders, "dead"), 1)
				h.idle()
				h.requireService(old)
			})
		}
	}
}

func TestAServiceThatIsNeverHealthyGoesBackAtOnceAndForGood(t *testing.T) {
	t.Parallel()
	// The late one is healthy only when one has waited for it a second time.
	for _, health := range []string{"starting", "late"} {
		t.Run(health, func(t *testing.T) {
			t.Parallel()
			h, old := composed(t)
			h.args = append(h.args, "-healthy-within=2s")
			h.start()
			h.push("1.5.0", app{health: health})
			h.hub("1.5.0", 6)
			h.waitFor(rolledBack, 1)
			h.idle()
			h.requireService(old)
			require.Contains(t, h.logged(), "not healthy within 2s; rolled back")
			require.Equal(t, 2, h.ups(), "there and back")
			require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "dead")))
			require.EqualValues(t, 1, h.metric(`hookhouse_attempt_seconds_count{state="dead",type="deploy.order"}`))
			require.Zero(t, h.metric(`hookhouse_attempt_seconds_count{state="waiting",type="deploy.order"}`))
		})
	}
}

func TestARejectedServiceThatCannotGoBackAtFirstIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	h, old := composed(t)
	h.fault(fault{"up --detach", "before", "pass"}, fault{"up --detach", "before", "daemon is shutting down"})
	h.start()
	h.push("1.5.0", app{health: "unhealthy"})
	h.hub("1.5.0", 6)
	h.waitFor(rolledBack, 1)
	h.idle()
	h.requireService(old)
	require.Contains(t, h.logged(), "web is not in order")
	require.Equal(t, 3, h.ups(), "there, back in vain, and back")
	require.EqualValues(t, 1, h.metric(fmt.Sprintf(orders, "dead")))

	// The next push of it is tried.
	h.hub("1.5.0", 1)
	h.waitFor(rolledBack, 2)
	h.idle()
	h.requireService(old)
	require.Equal(t, 5, h.ups())
}

func TestAContainerOfComposeRunIsNoneOfTheService(t *testing.T) {
	t.Parallel()
	for name, scale := range map[string]string{"one container": "", "three": "\n    scale: 3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "services:\n  web:\n    image: REPOSITORY:1.4.0" + scale
			h, _ := composedOf(t, text)
			h.docker("compose", "--file="+filepath.Join(h.dir, "shop", "compose.yaml"), "run", "web")
			h.start()
			digest := h.push("1.5.0", app{health: "healthy"})
			h.hub("1.5.0", 6)
			h.waitFor(fmt.Sprintf(orders, "done"), 1)
			h.idle()
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
			require.Equal(t, 1, h.ups())
		})
	}
}

func TestAServiceIsRecreatedWithItsVariablesAndAllOfItsFiles(t *testing.T) {
	t.Parallel()
	h, _ := composedOf(t, `
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
	require.Contains(t, h.logged(), "NOT_THERE", "what becomes blank is told at the start")
	require.NotContains(t, h.logged(), "DB_PASSWORD")
	digest := h.push("1.5.0", app{health: "healthy"})
	h.hub("1.5.0", 6)
	h.waitFor(fmt.Sprintf(orders, "done"), 1)
	h.requireOnly("shop-web-1", "1.5.0", digest)
	told := h.docker("container", "inspect", "shop-web-1")
	for _, variable := range []string{"PASSWORD=s3cret", "PLACE=here", "BLANK=", "PORT=80", "DEBUG=1"} {
		require.Contains(t, told, quoted(variable))
	}
	require.NotContains(t, h.logged()+h.read("calls"), "s3cret")
}

func TestAServiceOfWhichNothingIsKnownIsNotTakenBack(t *testing.T) {
	t.Parallel()
	h, _ := composed(t)
	h.start()
	digest := h.push("1.5.0", app{health: "healthy"})
	h.fault(fault{"up --detach", "after", "kill"})
	h.hub("1.5.0", 6)
	h.wait("the kill", h.hasEnded)
	h.fault(fault{"container inspect", "before", "daemon is shutting down"})
	h.start()
	h.waitFor(fmt.Sprintf(orders, "done"), 1)
	h.idle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	require.Contains(t, h.logged(), "put web right: docker container inspect")
	require.Equal(t, 1, h.ups())
}

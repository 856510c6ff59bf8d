package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	if err := os.Mkdir(filepath.Join(h.dir, "shop"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "shop", "compose.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "REPOSITORY", h.repository())), 0o600); err != nil {
		t.Fatal(err)
	}
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
	if len(all) != 1 {
		h.t.Fatalf("len(all) = %d, want 1: %v", len(all), all)
	}
	if !all["shop-web-1"].State.Running {
		h.t.Fatal(`all["shop-web-1"].State.Running is false, want true`)
	}
	if got := ([]string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old}); !slices.Contains(got, all["shop-web-1"].Config.Image) {
		h.t.Fatalf(`[]string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old} = %v, want it to contain %q`, got, all["shop-web-1"].Config.Image)
	}
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
	if got := h.docker("container", "inspect", "shop-web-1"); !strings.Contains(got, "GREETING=hello") {
		t.Fatalf(`h.docker("container", "inspect", "shop-web-1") = %q, want it to contain %q`, got, "GREETING=hello")
	}
	h.deliverPush("1.5.0", 1)
	h.waitForMetric(unchanged, 1)
	h.pushImage("1.4.9", app{health: "healthy"})
	h.deliverPush("1.4.9", 1)
	h.waitIdle()
	h.requireOnly("shop-web-1", "1.5.0", digest)
	if got := h.countUps(); got != 1 {
		t.Fatalf("h.countUps() = %d, want 1", got)
	}
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
			if got := h.logText(); !strings.Contains(got, "not healthy within 2s; rolled back") {
				t.Fatalf("h.logText() = %q, want it to contain \"not healthy within 2s; rolled back\"", got)
			}
			if got := h.countUps(); got != 2 {
				t.Fatalf("the update and the rollback: h.countUps() = %d, want 2", got)
			}
			if got := h.metric(fmt.Sprintf(deployRequests, "dead")); got != 1 {
				t.Fatalf(`h.metric(fmt.Sprintf(deployRequests, "dead")) = %v, want %v`, got, 1)
			}
			if got := h.metric(`hookhouse_attempt_seconds_count{state="dead",type="deploy.order"}`); got != 1 {
				t.Fatalf("h.metric(...) = %v, want 1", got)
			}
			if got := h.metric(`hookhouse_attempt_seconds_count{state="waiting",type="deploy.order"}`); got != 0 {
				t.Fatalf("h.metric(...) = %v, want 0", got)
			}
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
	if got := h.logText(); !strings.Contains(got, "recovery of web failed") {
		t.Fatalf("h.logText() = %q, want it to contain \"recovery of web failed\"", got)
	}
	if got := h.countUps(); got != 3 {
		t.Fatalf("the update, a failed rollback, and a rollback: h.countUps() = %d, want 3", got)
	}
	if got := h.metric(fmt.Sprintf(deployRequests, "dead")); got != 1 {
		t.Fatalf(`h.metric(fmt.Sprintf(deployRequests, "dead")) = %v, want %v`, got, 1)
	}

	// The next push of the same image is tried.
	h.deliverPush("1.5.0", 1)
	h.waitForMetric(rolledBack, 2)
	h.waitIdle()
	h.requireService(old)
	if got := h.countUps(); got != 5 {
		t.Fatalf("h.countUps() = %d, want 5", got)
	}
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
			if got := h.metric(deployed); got != 1 {
				t.Fatalf("h.metric(deployed) = %v, want 1", got)
			}
			left := 0
			for name, c := range h.containers() {
				if strings.HasPrefix(name, "shop-web-run-") {
					if c.Config.Image != h.repository()+":1.4.0" {
						t.Fatalf("c.Config.Image = %q, want %q", c.Config.Image, h.repository()+":1.4.0")
					}
					left++
					continue
				}
				if !c.State.Running {
					t.Fatal("c.State.Running is false, want true")
				}
				if c.Config.Image != h.repository()+":1.5.0@"+digest {
					t.Fatalf("c.Config.Image = %q, want %q", c.Config.Image, h.repository()+":1.5.0@"+digest)
				}
			}
			if left != 1 {
				t.Fatalf("left = %d, want 1", left)
			}
			if got := h.countUps(); got != 1 {
				t.Fatalf("h.countUps() = %d, want 1", got)
			}
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
	if err := os.WriteFile(filepath.Join(shop, ".env"), []byte("PLACE=here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(shop, "compose.override.yaml")
	if err := os.WriteFile(second, []byte("services: {web: {environment: {DEBUG: 1}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "DB_PASSWORD=s3cret", "OTHER=x")
	h.args = append(h.args, "-compose", second, "-env", "DB_PASSWORD")
	h.start()
	if got := h.logText(); !strings.Contains(got, "NOT_THERE") {
		t.Fatalf("a variable that becomes blank is reported at the start: h.logText() = %q, want it to contain \"NOT_THERE\"", got)
	}
	if got := h.logText(); strings.Contains(got, "DB_PASSWORD") {
		t.Fatalf("h.logText() = %q, want it not to contain \"DB_PASSWORD\"", got)
	}
	digest := h.pushImage("1.5.0", app{health: "healthy"})
	h.deliverPush("1.5.0", 6)
	h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
	h.requireOnly("shop-web-1", "1.5.0", digest)
	inspected := h.docker("container", "inspect", "shop-web-1")
	for _, variable := range []string{"PASSWORD=s3cret", "PLACE=here", "BLANK=", "PORT=80", "DEBUG=1"} {
		if !strings.Contains(inspected, quoted(variable)) {
			t.Fatalf("inspected = %q, want it to contain %q", inspected, quoted(variable))
		}
	}
	if got := h.logText() + h.read("calls"); strings.Contains(got, "s3cret") {
		t.Fatalf(`h.logText()+h.read("calls") = %q, want it not to contain %q`, got, "s3cret")
	}
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
	if got := h.logText(); !strings.Contains(got, "recover web: docker container inspect") {
		t.Fatalf("h.logText() = %q, want it to contain \"recover web: docker container inspect\"", got)
	}
	if got := h.countUps(); got != 1 {
		t.Fatalf("h.countUps() = %d, want 1", got)
	}
}

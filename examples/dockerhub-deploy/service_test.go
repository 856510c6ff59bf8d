package main

import (
	"strings"
	"testing"
)

const composeFile = `services:
  web: {image: "acme/app:1.4.0"}
  side: {image: "acme/side:1", network_mode: "service:web"}
`

// newServiceHost returns a host on which the service web runs.
func newServiceHost(t *testing.T, file string) *host {
	t.Helper()
	h := newHost(t, "-compose=compose.yaml", "-watch=acme/app:^1.4=service:web")
	h.write("compose.yaml", file)
	h.push("1.4.0", "healthy")
	h.start()
	h.result("service:web", "deployed", 1)
	h.idle()
	return h
}

func TestServiceIsDeployedFromNothingAndRolledBackByImageID(t *testing.T) {
	t.Parallel()
	h := newServiceHost(t, "services:\n  web: {image: acme/app}\n")
	before := h.containers()["shop-web-1"]
	h.push("1.5.0", "unhealthy")
	h.call("1.5.0", 2)
	h.result("service:web", "rolled back", 1)
	h.idle()
	after := h.containers()["shop-web-1"]
	if after.Image != before.Image || !strings.HasPrefix(after.Config.Image, "sha256:") || !after.State.Running {
		t.Errorf("the container was %+v and is %+v, want one that runs the same image by its id", before, after)
	}
	if got := after.Config.Labels["hookhouse.tag"]; got != "1.4.0" {
		t.Errorf("the label of the tag is %q, want 1.4.0", got)
	}
	digest := h.push("1.4.1", "healthy")
	h.call("1.4.1", 1)
	h.result("service:web", "deployed", 2)
	h.requireOnly("shop-web-1", digest)
}

func TestKilledDeploymentOfServiceIsCompleted(t *testing.T) {
	t.Parallel()
	for _, health := range []string{"healthy", "unhealthy"} {
		t.Run(health, func(t *testing.T) {
			t.Parallel()
			h := newServiceHost(t, composeFile)
			before := h.containers()["shop-web-1"]
			digest := h.push("1.5.0", health)
			h.inject(fault{"up --detach", "during", "kill"}) // the old container is removed, the new one has no name yet
			h.call("1.5.0", 1)
			h.until("the kill", h.exited)
			h.docker("rm", "--force", "shop-web-1-new")
			h.start()
			if health == "healthy" {
				h.result("service:web", "deployed", 1)
				h.requireOnly("shop-web-1", digest)
				return
			}
			h.result("service:web", "rolled back", 1)
			h.idle()
			if after := h.containers()["shop-web-1"]; after.Image != before.Image || !after.State.Running {
				t.Errorf("the container is %+v", after)
			}
		})
	}
}

func TestScaleOfServiceIsKept(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"services:\n  web: {image: acme/app}\n":           "--scale=web=3",
		"services:\n  web: {image: acme/app, scale: 3}\n": "",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			h := newServiceHost(t, file)
			h.write("scale.yaml", `{"services": {"web": {"image": "`+h.containers()["shop-web-1"].Config.Image+`", "labels": {"hookhouse.tag": "1.4.0"}}}}`)
			h.docker("compose", "--file="+h.dir+"/compose.yaml", "--file="+h.dir+"/scale.yaml", "up", "--scale=web=3", "web")
			h.push("1.5.0", "healthy")
			h.call("1.5.0", 1)
			h.result("service:web", "deployed", 2)
			if got := len(h.containers()); got != 3 {
				t.Errorf("%d containers, want 3", got)
			}
			if want != "" && !strings.Contains(h.read("calls"), want) || want == "" && strings.Contains(h.read("calls"), "--pull=never --scale") {
				t.Errorf("the commands are\n%s\nwant %q in them", h.read("calls"), want)
			}
		})
	}
}

func TestOtherServicesOfTheProjectAreMadeAnew(t *testing.T) {
	t.Parallel()
	h := newServiceHost(t, composeFile)
	image := h.containers()["shop-web-1"].Image
	h.docker("create", "--name=shop-side-1", "--network=container:shop-web-1", "--label=com.docker.compose.project=shop",
		"--label=com.docker.compose.service=side", "--label=com.docker.compose.oneoff=False", image)
	before := h.containers()["shop-side-1"]
	h.push("1.5.0", "healthy")
	h.call("1.5.0", 1)
	h.result("service:web", "deployed", 2)
	if after := h.containers()["shop-side-1"]; after.ID == before.ID || after.Image != before.Image || !after.State.Running {
		t.Errorf("side was %+v and is %+v", before, after)
	}
	// What is not of the project is refused.
	h.docker("create", "--name=torrent", "--network=container:shop-web-1", image)
	h.push("1.6.0", "healthy")
	h.call("1.6.0", 1)
	h.until("the refusal", func() bool {
		return strings.Contains(h.logText(), "refused: the container torrent uses the network of shop-web-1")
	})
}

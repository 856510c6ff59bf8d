package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inspectNormalized returns the output of docker container inspect without the
// fields that differ between two containers with the same configuration.
func (h *host) inspectNormalized(name string) map[string]any {
	h.t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(h.docker("container", "inspect", name)), &all); err != nil {
		h.t.Fatal(err)
	}
	c := all[0]
	id := c["Id"].(string)
	for _, own := range []string{"Id", "Image", "State", "fake_inspections"} {
		delete(c, own)
	}
	cfg := c["Config"].(map[string]any)
	if diff := cmp.Diff(id[:12], cfg["Hostname"]); diff != "" {
		h.t.Fatalf("cfg[\"Hostname\"] (-want +got):\n%s", diff)
	}
	delete(cfg, "Hostname")
	delete(cfg, "Image")
	slices.SortFunc(cfg["Env"].([]any), func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	labels := cfg["Labels"].(map[string]any)
	maps.DeleteFunc(labels, func(k string, _ any) bool { return k == "version" || k == replacesLabel || k == wasRunningLabel })
	for _, m := range c["Mounts"].([]any) {
		if m := m.(map[string]any); m["Type"] == "volume" {
			delete(m, "Mode") // z or empty; only used for bind mounts
		}
	}
	for _, n := range c["NetworkSettings"].(map[string]any)["Networks"].(map[string]any) {
		n := n.(map[string]any)
		if aliases, ok := n["Aliases"].([]any); ok {
			n["Aliases"] = slices.DeleteFunc(aliases, func(a any) bool { return a == id[:12] })
		}
	}
	return c
}

func TestNewContainerHasSameConfiguration(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:latest=web")
	old := h.startContainer("web", "latest", "--user=1000", "--workdir=/srv", "--stop-signal=SIGINT", "--stop-timeout=3", "--tty", "--interactive",
		"--env=SECRET=s3cret", "--env=TEXT=two words = 1", "--env=LINES=a\nb", "--env=EMPTY=", "--label=traefik.enable=true",
		"--volume=/etc/app:/config:ro", "--volume=data:/data", "--volume=/cache", "--tmpfs=/run",
		"--publish=127.0.0.1:8080:80/tcp", "--publish=9090:90/udp", "--publish=70/tcp",
		"--network=front", "--network-alias=www", "--ip=10.0.0.7", "--restart=on-failure:3",
		"--memory=268435456", "--memory-swap=-1", "--cpus=1.5", "--pids-limit=100", "--cap-add=NET_ADMIN", "--cap-drop=ALL", "--init", "--read-only",
		"--add-host=db:10.0.0.9", "--dns=10.0.0.1", "--security-opt=no-new-privileges", "--sysctl=net.core.somaxconn=1024",
		"--log-driver=journald", "--log-opt=tag=web", "--entrypoint=/bin/sh",
		"--health-cmd=wget -q localhost", "--health-interval=5s", "--health-timeout=2s", "--health-retries=4")
	h.docker("network", "connect", "--alias=app", "back", "web")
	before := h.inspectNormalized("web")
	h.start()
	for range 2 { // copied settings are copied again
		digest := h.pushImage("latest", app{health: "healthy", env: []string{"IMAGE=new"}})
		if digest == old {
			t.Fatalf("digest = %q, want another than %q", digest, old)
		}
		h.deliverPush("latest", 6)
		h.waitUntil("the new container", func() bool { return h.containers()["web"].Config.Image == h.repository()+":latest@"+digest })
		h.waitIdle()
		h.requireOnly("web", "latest", digest)
		after := h.inspectNormalized("web")
		// The defaults are those of the new image.
		env := after["Config"].(map[string]any)["Env"].([]any)
		if !slices.Contains(env, "IMAGE=new") {
			t.Fatalf("env = %v, want it to contain \"IMAGE=new\"", env)
		}
		after["Config"].(map[string]any)["Env"] = slices.DeleteFunc(env, func(v any) bool { return v == "IMAGE=new" })
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("configuration (-before +after):\n%s", diff)
		}
	}
	if got := h.read("calls"); strings.Contains(got, "--pull=never --env-file=/dev/stdin --env=SECRET") {
		t.Fatalf(`the value must not appear in the process list: h.read("calls") = %q, want it not to contain %q`, got, "--pull=never --env-file=/dev/stdin --env=SECRET")
	}
	if got := h.logText(); strings.Contains(got, "s3cret") {
		t.Fatalf("h.logText() = %q, want it not to contain \"s3cret\"", got)
	}
}

func TestCommandOfContainerIsCopied(t *testing.T) {
	t.Parallel()
	preset := imageConfig{Entrypoint: []string{"/entry"}, Cmd: []string{"serve"}}
	tests := map[string]struct {
		own        imageConfig
		entrypoint string // value of --entrypoint; - if the flag is not set
		words      []string
	}{
		"the image's":            {preset, "-", nil},
		"another command":        {imageConfig{Entrypoint: preset.Entrypoint, Cmd: []string{"migrate", "--all"}}, "-", []string{"migrate", "--all"}},
		"another entry point":    {imageConfig{Entrypoint: []string{"sh", "-c"}, Cmd: []string{"x"}}, "sh", []string{"-c", "x"}},
		"no entry point":         {imageConfig{Cmd: []string{"/bin/x"}}, "", []string{"/bin/x"}},
		"an entry point by flag": {imageConfig{Entrypoint: []string{"sh"}}, "sh", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var c createCommand
			var old container
			old.Config.imageConfig = test.own
			if err := c.addProcess(old, preset); err != nil {
				t.Fatal(err)
			}
			if test.entrypoint == "-" {
				if len(c.flags) != 0 {
					t.Fatalf("c.flags = %v, want empty", c.flags)
				}
			} else {
				if diff := cmp.Diff([]string{"--entrypoint=" + test.entrypoint}, c.flags); diff != "" {
					t.Fatalf("c.flags (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(test.words, c.command, cmp.Transformer("empty", func(s []string) string { return fmt.Sprint(len(s), s) })); diff != "" {
				t.Fatalf("c.command (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContainerThatCannotBeCopiedIsUntouched(t *testing.T) {
	t.Parallel()
	for flag, says := range map[string]string{
		"--rm":           "HostConfig.AutoRemove: a container that is removed when it stops (--rm) cannot be restored",
		"--link=db:data": `HostConfig.Links=`,
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("web", "latest", flag)
			before := h.containers()["web"]
			h.pushImage("latest", app{health: "healthy"})
			h.start()
			h.deliverPush("latest", 6)
			h.waitForMetric(fmt.Sprintf(deployRequests, "dead"), 1)
			h.requireUntouched(before)
			if got := h.countCalls("pull --quiet"); got != 0 {
				t.Fatalf(`h.countCalls("pull --quiet") = %d, want 0`, got)
			}
			if got := h.logText(); !strings.Contains(got, says) {
				t.Fatalf("h.logText() = %q, want it to contain %q", got, says)
			}
		})
	}
}

func TestStoppedContainerIsReplacedOrStaysStopped(t *testing.T) {
	t.Parallel()
	for _, health := range []string{"healthy", "unhealthy"} {
		t.Run(health, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("web", "latest")
			h.docker("stop", "web")
			before := h.containers()["web"]
			digest := h.pushImage("latest", app{health: health})
			h.start()
			h.deliverPush("latest", 6)
			if health == "healthy" {
				h.waitForMetric(deployed, 1)
				h.requireOnly("web", "latest", digest)
				return
			}
			h.waitForMetric(rolledBack, 1)
			all := h.containers()
			if len(all) != 1 {
				t.Fatalf("len(all) = %d, want 1: %v", len(all), all)
			}
			if diff := cmp.Diff(before, all["web"]); diff != "" {
				t.Fatalf("all[\"web\"] (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInheritedHostnameIsNotCopied(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flags      []string
		name, host string // of the new container; - means its id
	}{
		"the network of another container":      {[]string{"--network=container:vpn"}, "vpn-name", "example.com"},
		"the network of the host":               {[]string{"--network=host"}, "machine", ""},
		"the names and the network of the host": {[]string{"--network=host", "--uts=host"}, "machine", ""},
		"the names of the host, bridged":        {[]string{"--uts=host"}, "-", ""},
		"its own name and domain":               {[]string{"--hostname=www", "--domainname=example.org"}, "www", "example.org"},
		"the name chosen by the engine":         {nil, "-", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "-watch", "acme/app:latest=web")
			h.startContainer("vpn", "latest", "--hostname=vpn-name", "--domainname=example.com")
			h.startContainer("web", "latest", test.flags...)
			digest := h.pushImage("latest", app{health: "healthy"})
			h.start()
			h.deliverPush("latest", 6)
			h.waitForMetric(fmt.Sprintf(deployRequests, "done"), 1)
			h.waitIdle()
			if got := h.metric(deployed); got != 1 {
				t.Fatalf("h.metric(deployed) = %v, want 1", got)
			}
			var all []container
			if err := json.Unmarshal([]byte(h.docker("container", "inspect", "web")), &all); err != nil {
				t.Fatal(err)
			}
			if all[0].Config.Image != h.repository()+":latest@"+digest {
				t.Fatalf("all[0].Config.Image = %q, want %q", all[0].Config.Image, h.repository()+":latest@"+digest)
			}
			want := test.name
			if want == "-" {
				want = all[0].ID[:12]
			}
			if all[0].Config.Hostname != want {
				t.Fatalf("all[0].Config.Hostname = %q, want %q", all[0].Config.Hostname, want)
			}
			if all[0].Config.Domainname != test.host {
				t.Fatalf("all[0].Config.Domainname = %q, want %q", all[0].Config.Domainname, test.host)
			}
		})
	}
}

package main

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// newDependentHost returns a host with web, side, which uses its network, and files, which
// uses the volumes of side.
func newDependentHost(t *testing.T) *host {
	t.Helper()
	h := newRunHost(t, "acme/app:latest")
	h.args = append(h.args, "-watch=acme/app:side=run:side.options", "-watch=acme/app:side=run:files.options")
	h.declare("side", "--network container:web")
	h.declare("files", "--volumes-from side")
	h.push("latest", "healthy")
	h.push("side", "healthy")
	h.start()
	h.until("the three containers", func() bool { return len(h.containers()) == 3 })
	h.idle()
	return h
}

// One deployment follows the other.
func TestDeclaredDependentsAreMadeAnew(t *testing.T) {
	t.Parallel()
	for lane, points := range map[string][]fault{
		"undisturbed": {{}},
		"killed": {
			{"create --name=side-next", "after", "kill"}, {"rename side side-previous", "after", "kill"}, {"rename side-next side", "before", "kill"},
			{"rename side-next side", "after", "kill"}, {"rm --force side-previous", "before", "kill"}, {"create --name=files-next", "before", "kill"},
		},
		"failed once": {{"create --name=side-next", "before", "no space left on device"}, {"start side", "before", "address already in use"}},
	} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			h := newDependentHost(t)
			for _, point := range points {
				h.idle()
				t.Log(point)
				before := h.containers()
				digest := h.push("latest", "healthy")
				h.inject(point)
				h.call("latest", 1)
				if point.Do == "kill" {
					h.until("the kill", h.exited)
					h.start()
				}
				h.until("web to be deployed", func() bool {
					all := h.containers()
					return strings.HasSuffix(all["web"].Config.Image, digest) && all["files"].State.Running && len(all) == 3 && all["files"].ID != before["files"].ID
				})
				h.idle()
				after := h.containers()
				for _, name := range []string{"side", "files"} {
					if a, b := after[name], before[name]; a.ID == b.ID || a.Image != b.Image || !a.State.Running || a.Config.Labels["hookhouse.digest"] != b.Config.Labels["hookhouse.digest"] {
						t.Errorf("%s was %+v and is %+v, want another container of the same image that runs", name, b, a)
					}
				}
				h.docker("start", "side") // its network is there
				if point.Do != "kill" && !strings.Contains(h.logText(), point.Do) {
					t.Errorf("the log lacks %q", point.Do)
				}
			}
		})
	}
}

func TestUndeclaredDependentIsNamedAndNothingTouched(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]string{"by its network": "--network=container:web", "by its volumes": "--volumes-from=web", "of a dependent": "--volumes-from=side"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newDependentHost(t)
			h.docker("create", "--name=torrent", option, h.containers()["side"].Image) // not even running
			before := h.containers()
			h.push("latest", "healthy")
			h.call("latest", 1)
			h.until("the refusal", func() bool { return strings.Contains(h.logText(), "refused: the container torrent uses the ") })
			h.idle()
			for name, c := range h.containers() {
				if c.ID != before[name].ID || c.State != before[name].State {
					t.Errorf("%s was touched", name)
				}
			}
			if got := h.stored("deploy.order", webhook.Dead); got != 1 {
				t.Errorf("%d orders are dead, want 1", got)
			}
		})
	}
}

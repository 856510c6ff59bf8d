package main

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A container that is stopped and started has new namespaces. What used the old ones must
// not be left in them.
func TestRollbackRestartsWhatUsesNamespaces(t *testing.T) {
	t.Parallel()
	h := newDependentHost(t)
	before := h.containers()
	h.push("latest", "unhealthy")
	h.inject(fault{"restart side", "before", "daemon is shutting down"})
	h.call("latest", 1)
	h.until("the rollback", func() bool { return strings.Contains(h.logText(), "rolled back") })
	h.idle()
	all := h.containers()
	for name, c := range all {
		if c.ID != before[name].ID || !c.State.Running {
			t.Errorf("%s was %+v and is %+v", name, before[name], c)
		}
	}
	if got := h.calls("restart side"); got < 2 || h.calls("restart files") != 0 || len(all) != 3 {
		t.Errorf("side was restarted %d times, want 2, and files never; the containers are %v", got, all)
	}
}

func TestVolumesOfShortIDAreFound(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.push("latest", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	h.idle()
	before := h.containers()["web"]
	h.docker("create", "--name=torrent", "--volumes-from="+before.ID[:5], before.Image)
	h.push("latest", "healthy")
	h.call("latest", 1)
	h.until("the refusal", func() bool { return strings.Contains(h.logText(), "refused: the container torrent uses the volumes") })
	if after := h.containers()["web"]; after.ID != before.ID {
		t.Error("the container was replaced")
	}
}

// The first deployment of side waits for that of web, however long it takes, and its image
// is not blamed.
func TestFirstDeploymentWaitsForItsBase(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch=acme/app:latest=run:web.options", "-watch=acme/app:side=run:side.options", "-registry-retry=10ms")
	h.declare("web")
	h.declare("side", "--network container:web")
	h.push("side", "healthy")
	h.start()
	h.until("the attempts", func() bool {
		return strings.Count(h.logText(), "the container web, to which the options refer, does not exist") > 15
	})
	h.push("latest", "healthy")
	h.call("latest", 1)
	h.result("run:side", "deployed", 1)
	if got := h.stored("deploy.order", webhook.Dead); got != 0 {
		t.Errorf("%d orders are dead", got)
	}
}

func TestLookupsAreFewAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-exec=true")
	for _, name := range strings.Split("abcdefghijklmnopqrst", "") {
		h.args = append(h.args, "-watch=acme/app:latest=exec:"+name)
	}
	var running, most, asked atomic.Int64
	h.answer.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		asked.Add(1)
		select { // all that come at once are seen
		case <-r.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
		w.WriteHeader(http.StatusNotFound)
	})))
	h.start()
	h.until("the lookups", func() bool { return strings.Count(h.logText(), "not looked up") == 20 })
	if most.Load() > maxLookups {
		t.Errorf("%d requests at once, want at most %d", most.Load(), maxLookups)
	}
}

func TestRefusedRecoveryIsTold(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:latest")
	h.args = append(h.args, "-notify-exec=./told.sh")
	h.write("told.sh", "#!/bin/sh\necho $HOOKHOUSE_TARGET $HOOKHOUSE_OUTCOME $HOOKHOUSE_REASON >> told\n")
	image := h.repository() + ":latest@" + h.push("latest", "healthy")
	h.docker("pull", image)
	h.docker("create", "--name=web-next", image)
	h.start()
	h.until("the notice", func() bool {
		return strings.Contains(h.read("told"), "run:web failed recover run:web: refused: the container web-next")
	})
}

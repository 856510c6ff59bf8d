package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// newExecHost returns a host that deploys with a shell script, which notes each run.
func newExecHost(t *testing.T, tags, script string, args ...string) *host {
	t.Helper()
	h := newHost(t, append([]string{"-watch=acme/app:" + tags + "=exec:shop", "-exec=./deploy.sh"}, args...)...)
	h.write("deploy.sh", "#!/bin/sh\necho $HOOKHOUSE_TAG >> runs\n"+script)
	return h
}

// runs returns the tags that the script has deployed.
func (h *host) runs() string { return strings.Join(strings.Fields(h.read("runs")), " ") }

func TestOlderVersionIsNotDeployed(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "^1.4", "")
	h.push("1.10.0", "")
	h.start()
	h.result("exec:shop", "deployed", 1) // by the list of tags
	for _, tag := range []string{"1.9.9", "1.11.0-rc.1", "2.0.0", "1.11"} {
		h.push(tag, "")
		h.call(tag, 1)
	}
	h.idle()
	h.push("1.12.0", "")
	h.call("1.12.0", 2)
	h.result("exec:shop", "deployed", 2)
	if got := h.runs(); got != "1.10.0 1.12.0" {
		t.Errorf("deployed %s", got)
	}
}

func TestHighestOfSimultaneousVersionsWins(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, ">=1.0", "")
	h.start()
	for _, tag := range []string{"1.1.0", "1.3.0", "1.2.0"} {
		h.push(tag, "")
		h.call(tag, 6)
	}
	h.until("1.3.0", func() bool { return strings.HasSuffix(h.runs(), "1.3.0") })
	h.idle()
	if got := h.runs(); !strings.HasSuffix(got, "1.3.0") {
		t.Errorf("deployed %s", got)
	}
}

func TestNewerPushReplacesWaitingRetry(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "nightly-*", `[ $HOOKHOUSE_TAG = nightly-3 ]`)
	h.start()
	h.push("nightly-2", "")
	h.call("nightly-2", 1)
	h.until("three failures", func() bool { return strings.Count(h.logText(), "msg=failed") >= 3 })
	h.push("nightly-3", "")
	h.call("nightly-3", 1)
	h.result("exec:shop", "deployed", 1)
	h.idle()
	if got := h.runs(); !strings.HasSuffix(got, "nightly-2 nightly-3") {
		t.Errorf("deployed %s", got)
	}
	if !strings.Contains(h.logText(), "not looked up at the start") {
		t.Error("the log does not say that a glob is not looked up")
	}
}

func TestForgedPushes(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "^1.4", "")
	h.start()
	for _, wrong := range []string{"0", token + "0", "%20"} {
		if r := h.callAs(wrong, "1.5.0", 1); r.Attempts[0].Status != 401 {
			t.Fatalf("with the token %q: status %d, want 401", wrong, r.Attempts[0].Status)
		}
	}
	h.call("1.99.0", 6) // a version that was never pushed, from a sender with the token
	h.until("the dead push", func() bool { return h.stored("dockerhub.push", webhook.Dead) == 1 })
	for _, tag := range []string{"--privileged", "1.4.0/../../x", "1.4.0@sha256:00", ""} {
		h.call(tag, 1)
	}
	h.idle()
	// The invented version does not block a real one.
	h.push("1.5.0", "")
	h.call("1.5.0", 6)
	h.result("exec:shop", "deployed", 1)
	if got := h.runs(); got != "1.5.0" {
		t.Errorf("deployed %s", got)
	}
	if strings.Contains(h.logText(), token) {
		t.Error("the log has the token")
	}
}

func TestTagThatNoRuleTakesIsLogged(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, ">=2025", "")
	h.start()
	h.call("2026.02.0", 1)
	h.until("the line", func() bool {
		return strings.Contains(h.logText(), `msg="no rule takes this tag" image=acme/app:2026.02.0 hint="a number with a leading zero`)
	})
	h.call("other", 1)
	h.until("the line", func() bool {
		return strings.Contains(h.logText(), "msg=\"no rule takes this tag\" image=acme/app:other\n")
	})
}

func TestAcknowledgedPushSurvivesKill(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "nightly-*", "", "-quiet-period=2s")
	h.start()
	h.push("nightly-1", "")
	h.call("nightly-1", 6)
	if err := h.program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.until("the kill", h.exited)
	h.start()
	h.result("exec:shop", "deployed", 1)
}

// A push that this host did not hear of is deployed at the start, and by -poll later.
func TestMissedPushIsLookedUp(t *testing.T) {
	t.Parallel()
	for _, tags := range []string{"latest", "^1"} {
		t.Run(tags, func(t *testing.T) {
			t.Parallel()
			tag := func(n int) string {
				if tags == "latest" {
					return tags
				}
				return fmt.Sprintf("1.%d.0", n)
			}
			h := newExecHost(t, tags, "")
			h.push(tag(1), "")
			h.start()
			h.result("exec:shop", "deployed", 1)
			_ = h.program.Process.Kill()
			h.until("the kill", h.exited)
			h.push(tag(2), "")
			h.start("-poll=200ms")
			h.result("exec:shop", "deployed", 1)
			h.push(tag(3), "")
			h.result("exec:shop", "deployed", 2)
			if got, want := h.runs(), fmt.Sprint(tag(1), " ", tag(2), " ", tag(3)); got != want {
				t.Errorf("deployed %s, want %s", got, want)
			}
		})
	}
}

// A registry that is away costs no attempt, at the lookup, for a push and for an order.
func TestRegistryAway(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "latest", "", "-registry-retry=20ms")
	h.push("latest", "")
	h.setDown(true)
	h.start()
	h.until("the lookup to fail", func() bool { return strings.Contains(h.logText(), "the registry cannot be asked") })
	h.call("latest", 1)
	h.until("more failures than attempts", func() bool { return strings.Count(h.logText(), "type=dockerhub.push") > 14 })
	h.until("one push to wait", func() bool { return h.stored("dockerhub.push", webhook.Waiting) == 1 })
	h.setDown(false)
	h.result("exec:shop", "deployed", 1)
	h.idle()
	if got := h.runs(); got != "latest" {
		t.Errorf("deployed %s", got)
	}
}

// A later version reads the orders of an earlier one.
func TestStoredOrderKeepsItsForm(t *testing.T) {
	body, err := json.Marshal(deployOrder{"service:web"})
	if err != nil || string(body) != `{"target":"service:web"}` {
		t.Errorf("%s, %v", body, err)
	}
}

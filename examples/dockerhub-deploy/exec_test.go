package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// shopDeployed is the metric of the program's deployments.
const shopDeployed = `dockerhub_deploys_total{outcome="deployed",target="shop"}`

// newExecHost returns a host that deploys with a shell script.
func newExecHost(t *testing.T, text string, args ...string) *host {
	t.Helper()
	h := newHost(t, append([]string{"-watch", "acme/app:^1.4=shop", "-exec", "./deploy"}, args...)...)
	if err := os.WriteFile(filepath.Join(h.dir, "deploy"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestExecEnvironment(t *testing.T) {
	t.Parallel()
	// The program fails the first time.
	h := newExecHost(t, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort >> runs\necho end >> runs\n"+
		"[ -e failed ] || { touch failed; echo no route to host >&2; exit 1; }\n", "-env", "KUBECONFIG")
	h.env = append(h.env, "KUBECONFIG=/etc/kube", "OTHER_SECRET=x")
	h.start()
	first := h.pushImage("1.4.0", app{})
	h.deliverPush("1.4.0", 6)
	h.waitForMetric(shopDeployed, 1)
	if got := h.logText(); !strings.Contains(got, "no route to host") {
		t.Fatalf("h.logText() = %q, want it to contain \"no route to host\"", got)
	}
	second := h.pushImage("1.4.1", app{})
	h.deliverPush("1.4.1", 6)
	h.waitForMetric(shopDeployed, 2)
	h.deliverPush("1.4.1", 6)
	h.waitForMetric(`dockerhub_deploys_total{outcome="unchanged",target="shop"}`, 1)
	h.deliverPush("1.4.0", 6)
	h.waitIdle()

	facts := func(tag, digest, previousTag, previousDigest string) string {
		return fmt.Sprintf("HOME=%s\nHOOKHOUSE_DIGEST=%s\nHOOKHOUSE_IMAGE=%s:%s@%s\nHOOKHOUSE_PREVIOUS_DIGEST=%s\nHOOKHOUSE_PREVIOUS_TAG=%s\n"+
			"HOOKHOUSE_REPOSITORY=%s\nHOOKHOUSE_RULE=acme/app:^1.4=shop\nHOOKHOUSE_TAG=%s\nHOOKHOUSE_TARGET=shop\nKUBECONFIG=/etc/kube\nPATH=%s\nend\n",
			h.dir, digest, h.repository(), tag, digest, previousDigest, previousTag, h.repository(), tag, bin+":"+os.Getenv("PATH"))
	}
	if got, want := h.read("runs"), facts("1.4.0", first, "", "")+facts("1.4.0", first, "", "")+facts("1.4.1", second, "1.4.0", first); got != want {
		t.Fatalf(`h.read("runs") = %q, want %q`, got, want)
	}
	if got := h.read("calls"); got != "" {
		t.Fatalf(`h.read("calls") = %q, want empty`, got)
	}
}

func TestExecMayLeaveProcessRunning(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "echo run >> runs\nsleep 600 &\necho $! > background\n")
	left := func() *os.Process {
		pid, err := strconv.Atoi(strings.TrimSpace(h.read("background")))
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Cleanup(func() { _ = left().Kill() })
	h.start()
	h.pushImage("1.4.0", app{})
	h.deliverPush("1.4.0", 6)
	h.waitForMetric(`hookhouse_attempt_seconds_count{state="done",type="deploy.order"}`, 1)
	h.waitIdle()
	if got := h.metric(shopDeployed); got != 1 {
		t.Fatalf("h.metric(shopDeployed) = %v, want 1", got)
	}
	if got := h.read("runs"); got != "run\n" {
		t.Fatalf(`h.read("runs") = %q, want %q`, got, "run\n")
	}
	if err := left().Signal(syscall.Signal(0)); err != nil {
		t.Fatalf("the process must still run: %v", err)
	}
}

func TestExecTimeout(t *testing.T) {
	t.Parallel()
	// The first run hangs; the second one exits.
	h := newExecHost(t, "[ -e slow ] && exit\ntouch slow\nsleep 600\n", "-command-timeout=3s")
	h.start()
	h.pushImage("1.4.0", app{})
	h.deliverPush("1.4.0", 6)
	h.waitForMetric(shopDeployed, 1)
	if got := h.logText(); !strings.Contains(got, "command timeout: killed after 3s") {
		t.Fatalf("h.logText() = %q, want it to contain \"command timeout: killed after 3s\"", got)
	}
}

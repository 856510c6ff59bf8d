package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shopDeployed is the metric of the program's deployments.
const shopDeployed = `dockerhub_deploys_total{outcome="deployed",target="shop"}`

// newExecHost returns a host that deploys with a shell script.
func newExecHost(t *testing.T, text string, args ...string) *host {
	t.Helper()
	h := newHost(t, append([]string{"-watch", "acme/app:^1.4=shop", "-exec", "./deploy"}, args...)...)
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "deploy"), []byte("#!/bin/sh\n"+text), 0o700))
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
	require.Contains(t, h.logText(), "no route to host")
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
	require.Equal(t, facts("1.4.0", first, "", "")+facts("1.4.0", first, "", "")+facts("1.4.1", second, "1.4.0", first), h.read("runs"))
	require.Empty(t, h.read("calls"))
}

func TestExecMayLeaveProcessRunning(t *testing.T) {
	t.Parallel()
	h := newExecHost(t, "echo run >> runs\nsleep 600 &\necho $! > background\n")
	left := func() *os.Process {
		pid, err := strconv.Atoi(strings.TrimSpace(h.read("background")))
		require.NoError(t, err)
		p, err := os.FindProcess(pid)
		require.NoError(t, err)
		return p
	}
	t.Cleanup(func() { _ = left().Kill() })
	h.start()
	h.pushImage("1.4.0", app{})
	h.deliverPush("1.4.0", 6)
	h.waitForMetric(`hookhouse_attempt_seconds_count{state="done",type="deploy.order"}`, 1)
	h.waitIdle()
	require.EqualValues(t, 1, h.metric(shopDeployed))
	require.Equal(t, "run\n", h.read("runs"))
	require.NoError(t, left().Signal(syscall.Signal(0)), "the process must still run")
}

func TestExecTimeout(t *testing.T) {
	t.Parallel()
	// The first run hangs; the second one exits.
	h := newExecHost(t, "[ -e slow ] && exit\ntouch slow\nsleep 600\n", "-command-timeout=3s")
	h.start()
	h.pushImage("1.4.0", app{})
	h.deliverPush("1.4.0", 6)
	h.waitForMetric(shopDeployed, 1)
	require.Contains(t, h.logText(), "command timeout: killed after 3s")
}

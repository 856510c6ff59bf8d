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

// shopDeployed counts the deploys of the script's target.
const shopDeployed = `dockerhub_deploys_total{outcome="deployed",target="shop"}`

// scripted is a host that deploys by a shell script.
func scripted(t *testing.T, text string, args ...string) *host {
	t.Helper()
	h := newHost(t, append([]string{"-watch", "acme/app:^1.4=shop", "-exec", "./deploy"}, args...)...)
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "deploy"), []byte("#!/bin/sh\n"+text), 0o700))
	return h
}

func TestAProgramOfOnesOwnGetsTheFactsAndNoSecrets(t *testing.T) {
	t.Parallel()
	// It fails the first time.
	h := scripted(t, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort >> runs\necho end >> runs\n"+
		"[ -e failed ] || { touch failed; echo no route to host >&2; exit 1; }\n", "-env", "KUBECONFIG")
	h.env = append(h.env, "KUBECONFIG=/etc/kube", "OTHER_SECRET=x")
	h.start()
	first := h.push("1.4.0", app{})
	h.hub("1.4.0", 6)
	h.waitFor(shopDeployed, 1)
	require.Contains(t, h.logged(), "no route to host")
	second := h.push("1.4.1", app{})
	h.hub("1.4.1", 6)
	h.waitFor(shopDeployed, 2)
	h.hub("1.4.1", 6)
	h.waitFor(`dockerhub_deploys_total{outcome="left alone",target="shop"}`, 1)
	h.hub("1.4.0", 6)
	h.idle()

	facts := func(tag, digest, previousTag, previousDigest string) string {
		return fmt.Sprintf("HOME=%s\nHOOKHOUSE_DIGEST=%s\nHOOKHOUSE_IMAGE=%s:%s@%s\nHOOKHOUSE_PREVIOUS_DIGEST=%s\nHOOKHOUSE_PREVIOUS_TAG=%s\n"+
			"HOOKHOUSE_REPOSITORY=%s\nHOOKHOUSE_RULE=acme/app:^1.4=shop\nHOOKHOUSE_TAG=%s\nHOOKHOUSE_TARGET=shop\nKUBECONFIG=/etc/kube\nPATH=%s\nend\n",
			h.dir, digest, h.repository(), tag, digest, previousDigest, previousTag, h.repository(), tag, bin+":"+os.Getenv("PATH"))
	}
	require.Equal(t, facts("1.4.0", first, "", "")+facts("1.4.0", first, "", "")+facts("1.4.1", second, "1.4.0", first), h.read("runs"))
	require.Empty(t, h.read("calls"))
}

func TestAProgramThatLeavesSomethingRunningHasDeployed(t *testing.T) {
	t.Parallel()
	h := scripted(t, "echo run >> runs\nsleep 600 &\necho $! > background\n")
	left := func() *os.Process {
		pid, err := strconv.Atoi(strings.TrimSpace(h.read("background")))
		require.NoError(t, err)
		p, err := os.FindProcess(pid)
		require.NoError(t, err)
		return p
	}
	t.Cleanup(func() { _ = left().Kill() })
	h.start()
	h.push("1.4.0", app{})
	h.hub("1.4.0", 6)
	h.waitFor(`hookhouse_attempt_seconds_count{state="done",type="deploy.order"}`, 1)
	h.idle()
	require.EqualValues(t, 1, h.metric(shopDeployed))
	require.Equal(t, "run\n", h.read("runs"))
	require.NoError(t, left().Signal(syscall.Signal(0)), "it runs on")
}

func TestAProgramThatTakesTooLongIsKilledAndRunAgain(t *testing.T) {
	t.Parallel()
	// It ends only where an earlier run has made slow, and that one sleeps.
	h := scripted(t, "[ -e slow ] && exit\ntouch slow\nsleep 600\n", "-deploy-within=3s")
	h.start()
	h.push("1.4.0", app{})
	h.hub("1.4.0", 6)
	h.waitFor(shopDeployed, 1)
	require.Contains(t, h.logged(), "took too long: killed after 3s")
}

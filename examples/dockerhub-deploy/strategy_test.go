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
	h = newHost(t, "-watch", "acme/app:^1.4=web")
	require.NoError(t, os.Mkdir(filepath.Join(h.dir, "shop"), 0o700))
	file := filepath.Join(h.dir, "shop", "compose.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(composeFile, "REPOSITORY", h.repository())), 0o600))
	old = h.push("1.4.0", app{health: "healthy"})
	h.docker("compose", "--file="+file, "up", "--detach", "web")
	h.args = append(h.args, "-compose", file)
	return h, old
}

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
	require.Equal(t, 1, strings.Count(h.read("calls"), " --file=- up "))
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
			all := h.containers()
			require.Len(t, all, 1)
			require.True(t, all["shop-web-1"].State.Running)
			require.Contains(t, []string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old}, all["shop-web-1"].Config.Image)
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
				all := h.containers()
				require.Len(t, all, 1)
				require.True(t, all["shop-web-1"].State.Running)
				require.Contains(t, []string{h.repository() + ":1.4.0", h.repository() + ":1.4.0@" + old}, all["shop-web-1"].Config.Image)
			})
		}
	}
}

func TestAProgramOfOnesOwnGetsTheFactsAndNoSecrets(t *testing.T) {
	t.Parallel()
	h := newHost(t, "-watch", "acme/app:^1.4=shop", "-exec", "./deploy", "-exec-env", "KUBECONFIG")
	h.env = append(h.env, "KUBECONFIG=/etc/kube", "OTHER_SECRET=x")
	// It fails the first time.
	script := "#!/bin/sh\nenv | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort >> runs\necho end >> runs\n" +
		"[ -e failed ] || { touch failed; echo no route to host >&2; exit 1; }\n"
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "deploy"), []byte(script), 0o700))
	h.start()
	const done = `dockerhub_deploys_total{outcome="deployed",target="shop"}`
	first := h.push("1.4.0", app{})
	h.hub("1.4.0", 6)
	h.waitFor(done, 1)
	require.Contains(t, h.logged(), "no route to host")
	second := h.push("1.4.1", app{})
	h.hub("1.4.1", 6)
	h.waitFor(done, 2)
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

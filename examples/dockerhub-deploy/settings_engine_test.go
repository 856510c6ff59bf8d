//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var subnets atomic.Int64

// newNetwork makes a network of the site and returns the first three numbers of its
// addresses. No test sends anything to these addresses.
func (s *site) newNetwork() (name, prefix string) {
	s.t.Helper()
	name, prefix = s.name+"-net", fmt.Sprintf("10.77.%d.", subnets.Add(1))
	s.docker("network", "create", "--subnet="+prefix+"0/24", name)
	s.t.Cleanup(func() {
		s.engine.removeContainers(s.name)
		_ = s.engine.call("DELETE", "/networks/"+name, nil)
	})
	return name, prefix
}

// Every option of the file reaches the container, and it is the same after three
// deployments as after one "docker create" by hand.
func TestEngineSettingsAreAsDeclared(t *testing.T) {
	t.Parallel()
	rig := sharedRig(t)
	if rig == nil {
		return
	}
	s := newSite(t, rig, rig.engine)
	network, prefix := s.newNetwork()
	lines := []string{
		"--network " + network, "--ip " + prefix + "10", "--mac-address 02:42:c0:a8:29:2d", "--link-local-ip 169.254.34.68",
		"--network-alias shop", "--hostname shop.example.com", "--add-host db:127.0.0.1", "--dns 127.0.0.1", "--dns-option ndots:2",
		"--publish 127.0.0.1:" + s.port + ":80/tcp", "--expose 81", "--restart on-failure:3", "--init=false",
		"--memory 64m", "--memory-swappiness 0", "--cpus 0.5", "--pids-limit 99", "--shm-size 32m", "--oom-score-adj 100",
		"--cap-drop ALL", "--cap-add NET_BIND_SERVICE", "--security-opt no-new-privileges", "--security-opt systempaths=unconfined",
		"--ulimit nofile=100:200", "--tmpfs /tmp:size=1m", "--volume " + s.name + "-data:/data", "--device /dev/null:/dev/nothing:r",
		"--label team=shop, a=b", "--env GREETING=hello  \"there\" $HOME 'x'", "--env EMPTY=", "--workdir /data", "--user 0:0",
		"--stop-timeout 3", "--stop-signal SIGTERM", "--log-opt max-size=1m", "--sysctl net.ipv4.ip_unprivileged_port_start=80",
		"--entrypoint /app", "--", "an argument with  spaces", "--not-an-option",
	}
	s.declareAs(s.name, s.repository+":latest", lines...)
	digest := s.push("1", nil)
	s.start()
	s.requireOnly(digest)
	for _, version := range []string{"2", "3"} {
		digest = s.push(version, nil)
		s.call("latest")
		s.requireOnly(digest)
	}
	got := s.settings(s.name)
	now := s.container(s.name).NetworkSettings.Networks[network]
	if now.IPAddress != prefix+"10" || now.MacAddress != "02:42:c0:a8:29:2d" {
		t.Errorf("the container has the addresses %+v", now)
	}

	hand := []string{"create", "--name=" + s.name + "-hand"}
	for i, line := range lines {
		if line == "--" {
			hand = append(append(hand, s.rig.hub.addr+"/"+s.repository+":latest@"+digest), lines[i+1:]...)
			break
		}
		name, value, _ := strings.Cut(line, " ")
		if value == "" {
			hand = append(hand, name)
		} else {
			hand = append(hand, name, value)
		}
	}
	s.docker(hand...)
	if diff := cmp.Diff(s.settings(s.name+"-hand"), got); diff != "" {
		t.Fatalf("the settings by docker create and of the third deployment differ (-want +got):\n%s", diff)
	}
}

// settings returns what the engine says of a container, without what differs between
// any two.
func (s *site) settings(name string) map[string]any {
	s.t.Helper()
	var all struct {
		Path            string
		Args            []string
		Config          map[string]any
		HostConfig      map[string]any
		NetworkSettings struct{ Networks map[string]map[string]any }
		Mounts          []any
	}
	if err := s.engine.get("/containers/"+name+"/json", &all); err != nil {
		s.t.Fatal(err)
	}
	labels := all.Config["Labels"].(map[string]any)
	for label := range labels {
		if strings.HasPrefix(label, "hookhouse.") {
			delete(labels, label)
		}
	}
	networks := make(map[string]any)
	for network, endpoint := range all.NetworkSettings.Networks {
		networks[network] = endpoint["IPAMConfig"]
	}
	sortEnv(all.Config)
	return map[string]any{"path": all.Path, "args": all.Args, "config": all.Config, "host": all.HostConfig, "networks": networks, "mounts": all.Mounts}
}

// sortEnv sorts the variables, whose order has no meaning.
func sortEnv(config map[string]any) {
	text, _ := json.Marshal(config["Env"])
	var env []string
	_ = json.Unmarshal(text, &env)
	set := make(map[string]bool)
	for _, variable := range env {
		set[variable] = true
	}
	config["Env"] = set
}

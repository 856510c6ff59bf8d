//go:build linux

package main

import (
	"strings"
	"testing"
)

// newServiceSite returns a site with a service of a Compose file. Its containers have
// the network of their project, where nothing asks them.
func newServiceSite(t *testing.T, more string) *site {
	t.Helper()
	rig := composeRig(t)
	if rig == nil {
		return nil
	}
	s := newSite(t, rig, rig.engine)
	s.write("compose.yaml", "name: "+s.name+"\nservices:\n  web:\n    image: "+rig.hub.addr+"/"+s.repository+":latest\n    network_mode: none\n"+more)
	s.args = append(s.args, "-compose=compose.yaml", "-watch="+s.repository+":latest=service:web")
	return s
}

// deployService deploys a healthy image where there is nothing, and returns the
// containers.
func (s *site) deployService(scale int) []engineContainer {
	s.t.Helper()
	digest := s.push("1", quickHealth())
	s.start()
	s.call("latest")
	return s.requireService(digest, scale)
}

// serviceContainers returns the containers of the service web.
func (s *site) serviceContainers() []engineContainer {
	var list []engineContainer
	for _, c := range s.ownContainers() {
		if c.Config.Labels["com.docker.compose.service"] == "web" && c.Config.Labels["com.docker.compose.oneoff"] != "True" {
			list = append(list, c)
		}
	}
	return list
}

// requireService waits until the service has n containers, and all run the image of a
// digest.
func (s *site) requireService(digest string, n int) []engineContainer {
	s.t.Helper()
	s.until("all containers to run "+digest, func() bool {
		all := s.serviceContainers()
		running := 0
		for _, c := range all {
			if s.runs(c.name(), digest) {
				running++
			}
		}
		return len(all) == n && running == n
	})
	return s.serviceContainers()
}

// requireImage waits until the service has n containers, and all run the image of an id.
func (s *site) requireImage(id string, n int) {
	s.t.Helper()
	s.until("all containers to run the image "+id, func() bool {
		all := s.serviceContainers()
		running := 0
		for _, c := range all {
			if c.Image == id && c.State.Running {
				running++
			}
		}
		return len(all) == n && running == n
	})
}

func TestEngineServiceFirstDeployUpdateAndSameDigest(t *testing.T) {
	t.Parallel()
	s := newServiceSite(t, "    environment: {GREETING: hello}\n")
	if s == nil {
		return
	}
	s.deployService(1)
	digest := s.push("2", quickHealth())
	s.call("latest")
	second := s.requireService(digest, 1)[0]
	if !strings.Contains(strings.Join(second.Config.Env, "\n"), "GREETING=hello") {
		t.Errorf("the environment is %q, want it to contain GREETING=hello", second.Config.Env)
	}
	seen := s.countLog("msg=unchanged")
	s.call("latest")
	s.untilLog("msg=unchanged", seen+1)
	if third := s.requireService(digest, 1)[0]; third.ID != second.ID || third.State.StartedAt != second.State.StartedAt {
		t.Fatalf("the same digest is deployed again: %+v, before %+v", third, second)
	}
}

// "docker compose up --scale" leaves the number of containers nowhere but in the
// containers. An update and a rollback keep it.
func TestEngineServiceKeepsScale(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file  string
		up    []string
		scale int
	}{
		"by the command line": {"", []string{"--scale", "web=3"}, 3},
		"in the file":         {"    scale: 2\n", nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServiceSite(t, test.file)
			if s == nil {
				return
			}
			first := s.push("1", quickHealth())
			s.docker(append([]string{"compose", "up", "--detach", "--quiet-pull"}, test.up...)...)
			s.docker("compose", "run", "--detach", "--name", s.name+"-job", "web")
			s.start()
			s.requireService(first, test.scale)
			second := s.push("2", quickHealth())
			s.call("latest")
			all := s.requireService(second, test.scale)
			s.push("3", quickHealth(), "APP_SICK=1")
			s.call("latest")
			s.untilLog(`msg="rolled back"`, 1)
			s.requireImage(all[0].Image, test.scale)
			if job := s.container(s.name + "-job"); !job.State.Running || strings.HasSuffix(job.Config.Image, second) {
				t.Fatalf("the container of docker compose run is changed: %+v", job)
			}
		})
	}
}

// A service that uses the network of the deployed one is made anew by the deployment.
func TestEngineServiceDependentIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := newServiceSite(t, "  side:\n    image: SIDE\n    network_mode: service:web\n")
	if s == nil {
		return
	}
	digest := s.rig.hub.push(t, s.repository+"-side", "latest", s.image("side", nil))
	side := s.rig.hub.addr + "/" + s.repository + "-side@" + digest
	s.write("compose.yaml", strings.Replace(s.read("compose.yaml"), "SIDE", side, 1))
	first := s.push("1", quickHealth())
	s.docker("compose", "up", "--detach", "--quiet-pull")
	s.start()
	s.requireService(first, 1)
	second := s.push("2", quickHealth())
	s.call("latest")
	s.requireService(second, 1)
	s.until("the dependent to use the new container", func() bool {
		web, side := s.find(s.name+"-web-1"), s.find(s.name+"-side-1")
		return side.State.Running && side.HostConfig.NetworkMode == "container:"+web.ID && s.runs(s.name+"-web-1", second)
	})
}

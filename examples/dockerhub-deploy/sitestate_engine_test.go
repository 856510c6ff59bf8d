//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// docker runs the docker program and returns its output.
func (s *site) docker(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.rig.docker, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// container returns the container of a name, which must exist.
func (s *site) container(name string) engineContainer {
	s.t.Helper()
	var c engineContainer
	if err := s.engine.get("/containers/"+name+"/json", &c); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// find returns the container of a name, or the zero value if there is none, as in the
// middle of a replacement.
func (s *site) find(name string) (c engineContainer) {
	if s.engine.get("/containers/"+name+"/json", &c) != nil {
		return engineContainer{}
	}
	return c
}

// runs reports whether a container runs the image of a digest, and is healthy if it
// has a health check.
func (s *site) runs(name, digest string) bool {
	c := s.find(name)
	return c.State.Running &&
		strings.HasSuffix(c.Config.Image, "@"+digest) && (c.State.Health == nil || c.State.Health.Status == "healthy")
}

// requireOnly waits until the container runs the image of a digest and the site has no
// other container. It returns the container.
func (s *site) requireOnly(digest string) engineContainer {
	s.t.Helper()
	s.until("only "+s.name+" to run "+digest, func() bool { return s.runs(s.name, digest) && len(s.ownContainers()) == 1 })
	return s.container(s.name)
}

// requireUntouched waits until the site has only a container from before, and it
// runs.
func (s *site) requireUntouched(before engineContainer) {
	s.t.Helper()
	s.until("only the container from before to run", func() bool {
		all := s.ownContainers()
		return len(all) == 1 && all[0].ID == before.ID && all[0].name() == before.name() && all[0].State.Running
	})
}

func (s *site) ownContainers() []engineContainer { return s.engine.containers(s.name) }

func (s *site) describe() string {
	var text strings.Builder
	for _, c := range s.ownContainers() {
		fmt.Fprintf(&text, "%s %s %s %+v\n", c.ID[:12], c.name(), c.Config.Image, c.State)
	}
	return text.String()
}

// requireAnswer waits until the container's server answers want. A container that was just
// started, as by a rollback, runs before it listens.
func (s *site) requireAnswer(want string) {
	s.t.Helper()
	s.until("the container to answer "+want, func() bool {
		res, err := http.Get("http://127.0.0.1:" + s.port)
		if err != nil {
			return false
		}
		defer func() { _ = res.Body.Close() }()
		got, err := io.ReadAll(res.Body)
		return err == nil && string(got) == want
	})
}

package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Labels of a compose container.
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	oneOffLabel  = "com.docker.compose.oneoff"
	hashLabel    = "com.docker.compose.config-hash"
)

// A project is a set of Compose files.
type project struct {
	*fakeDocker
	name  string
	files []string
	env   map[string]string // variables of .env beside the first file
}

// compose implements version, config, pull, up, ps and run, the latter four for one
// service. It accepts any number of --file; the last one may be standard input.
func (d *fakeDocker) compose(args []string) (string, error) {
	var files []string
	for len(args) > 0 && strings.HasPrefix(args[0], "--file=") {
		files = append(files, strings.TrimPrefix(args[0], "--file="))
		args = args[1:]
	}
	if len(args) == 1 && args[0] == "version" {
		return "Docker Compose version v2.40.0\n", nil
	}
	if len(files) == 0 || len(args) < 2 {
		return "", errors.New("no configuration file provided: not found")
	}
	p := &project{fakeDocker: d, name: filepath.Base(filepath.Dir(files[0])), files: files}
	verb, service := args[0], args[len(args)-1]
	all, err := p.services()
	switch {
	case err != nil:
		return "", err
	case verb == "config":
		return "", nil
	case all[service] == nil:
		return "", fmt.Errorf("no such service: %s", service)
	}
	s := all[service]
	switch verb {
	case "ps":
		return p.ps(service, slices.Contains(args, "--all")), nil
	case "pull":
		_, err := d.pull(s.Image)
		return "", err
	case "up":
		return "", p.up(service, s, args)
	case "run":
		return "", p.run(service, s)
	}
	return "", fmt.Errorf("unknown docker command: \"compose %s\"", verb)
}

// ps lists the containers of a service. With all, the list includes stopped
// containers and those of run.
func (p *project) ps(service string, all bool) string {
	var ids strings.Builder
	for _, c := range p.state.Containers {
		l := c.Config.Labels
		if l[projectLabel] == p.name && l[serviceLabel] == service && (all || c.State.Running && l[oneOffLabel] == "False") {
			fmt.Fprintln(&ids, c.ID)
		}
	}
	return ids.String()
}

// up recreates the containers whose configuration has changed.
func (p *project) up(service string, s *service, args []string) error {
	hash := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, *s)))
	for n := range max(1, s.Scale) {
		full := fmt.Sprintf("%s-%s-%d", p.name, service, n+1)
		c, _ := p.state.find(full)
		if c != nil && c.Config.Labels[hashLabel] == hash {
			if err := p.start(full); err != nil {
				return err
			}
			continue
		}
		if p.state.image(s.Image) == nil {
			if slices.Contains(args, "--pull=never") {
				return fmt.Errorf("no such image: %s", s.Image)
			}
			if _, err := p.pull(s.Image); err != nil {
				return err
			}
		}
		if c != nil {
			if err := p.remove(full, true); err != nil {
				return err
			}
		}
		p.inject("during", append([]string{"compose"}, args...))
		if err := p.make(full, service, s, "False", hash); err != nil {
			return err
		}
		p.save() // the container remains even if it does not start
		if err := p.start(full); err != nil {
			return err
		}
	}
	return nil
}

// run leaves an exited container, as docker compose run without --rm does.
func (p *project) run(service string, s *service) error {
	if _, err := p.pull(s.Image); err != nil {
		return err
	}
	full := fmt.Sprintf("%s-%s-run-%012x", p.name, service, p.state.Serial)
	if err := p.make(full, service, s, "True", ""); err != nil {
		return err
	}
	if err := p.start(full); err != nil {
		return err
	}
	c, err := p.state.find(full)
	if err == nil {
		c.State = containerState{Status: "exited"}
	}
	return err
}

// make creates a container of a service.
func (p *project) make(full, service string, s *service, oneOff, hash string) error {
	args := []string{"--name=" + full, "--label=" + projectLabel + "=" + p.name, "--label=" + serviceLabel + "=" + service,
		"--label=" + oneOffLabel + "=" + oneOff, "--label=" + hashLabel + "=" + hash}
	for _, port := range s.Ports {
		if oneOff == "False" {
			args = append(args, "--publish="+port)
		}
	}
	for k, v := range s.Environment {
		args = append(args, "--env="+k+"="+v)
	}
	_, err := p.create(append(args, s.Image))
	return err
}

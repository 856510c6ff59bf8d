package target

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// A Project is the services of Compose files. The image of a service is passed in an
// additional file on standard input, so the files are not changed.
type Project struct {
	*Engine
	files    []string // --file=..., in the given order
	services []string
}

// NewProject returns an error for what would fail at the first push: a docker without
// compose, or files that compose cannot read. It logs the warnings of compose, for example
// about a variable that is not set.
func NewProject(ctx context.Context, e *Engine, files []string) (*Project, error) {
	p := &Project{Engine: e}
	for _, file := range files {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		if _, err := readBounded(absolute); err != nil {
			return nil, err
		}
		p.files = append(p.files, "--file="+absolute)
	}
	if err := e.do(ctx, []string{"compose", "version"}); err != nil {
		return nil, fmt.Errorf("docker compose, a plugin of the docker program, is required: %w", err)
	}
	out, warning, err := e.Docker.Run(ctx, "", p.args("config", "--services")...)
	if err == nil && warning != "" {
		e.Log.Warn("docker compose reports a warning", "warning", warning)
	}
	p.services = strings.Fields(out)
	return p, err
}

// args returns the arguments of a compose command.
func (p *Project) args(more ...string) []string {
	return append(append([]string{"compose"}, p.files...), more...)
}

// Labels of Compose: docker/compose, pkg/api/labels.go. A one-off container is one of
// "docker compose run", which "up" does not touch.
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	oneOffLabel  = "com.docker.compose.oneoff"
)

func sameProject(a, b inspected) bool {
	return a.label(projectLabel) != "" && a.label(projectLabel) == b.label(projectLabel)
}

// list returns all containers of the engine, and those of a service, running or not.
func (p *Project) list(ctx context.Context, service string) (all map[string]inspected, own []inspected, err error) {
	out, err := p.run(ctx, p.args("ps", "--all", "--quiet", service)...)
	if err != nil {
		return nil, nil, err
	}
	all, err = p.containers(ctx)
	ids := strings.Fields(out)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if c := all[name]; slices.Contains(ids, c.ID) && c.label(oneOffLabel) != "True" {
			own = append(own, c)
		}
	}
	return all, own, err
}

// hasScale reports whether the files set the number of containers of a service.
func (p *Project) hasScale(ctx context.Context, service string) (bool, error) {
	out, err := p.run(ctx, p.args("config", "--format=json", service)...)
	if err != nil {
		return false, err
	}
	var config struct {
		Services map[string]struct {
			Scale  *int
			Deploy struct{ Replicas *int }
		}
	}
	err = json.Unmarshal([]byte(out), &config)
	s := config.Services[service]
	return s.Scale != nil || s.Deploy.Replicas != nil, err
}

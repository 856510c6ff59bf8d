package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// An Engine controls Docker through its command-line program. Set the fields before use.
type Engine struct {
	Docker        Command
	HealthTimeout time.Duration // of the health check of a container, after its start period
	MinUptime     time.Duration // how long a container without a health check must run
	Log           *slog.Logger

	declared declared
	known    func() (knownOptions, error) // what docker create accepts
}

// NewEngine returns an Engine without containers that are declared.
func NewEngine(docker Command, healthTimeout, minUptime time.Duration, log *slog.Logger) *Engine {
	e := &Engine{Docker: docker, HealthTimeout: healthTimeout, MinUptime: minUptime, Log: log, declared: make(declared)}
	e.known = sync.OnceValues(func() (knownOptions, error) { return readKnownOptions(context.Background(), docker) })
	return e
}

// An inspected has the fields of "docker container inspect" that are needed. The zero
// value means that there is no such container.
type inspected struct {
	ID, Name     string
	Image        string // id of the image, not its name
	Created      time.Time
	RestartCount int
	State        struct {
		Running, Restarting bool
		ExitCode            int
		Health              *struct {
			Status string
			Log    []struct{ Output string }
		}
	}
	Config struct {
		Labels      map[string]string
		Healthcheck *struct{ StartPeriod time.Duration }
	}
	HostConfig struct {
		NetworkMode, IpcMode, PidMode string
		VolumesFrom, Links            []string
		AutoRemove                    bool
	}
}

func (c inspected) exists() bool              { return c.ID != "" }
func (c inspected) label(name string) string  { return c.Config.Labels[name] }
func (c inspected) replaces(o inspected) bool { return o.exists() && c.label(replacesLabel) == o.ID }

// Labels of the containers that this package creates. What they say is read back instead
// of being stored: a container and its labels cannot disagree.
const (
	ruleLabel     = "hookhouse.rule"
	digestLabel   = "hookhouse.digest"
	tagLabel      = "hookhouse.tag"
	optionsLabel  = "hookhouse.options"  // options.hash
	replacesLabel = "hookhouse.replaces" // id of the container that it replaces
)

// do runs docker commands, one after the other, until one fails.
func (e *Engine) do(ctx context.Context, commands ...[]string) error {
	for _, args := range commands {
		if _, err := e.run(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) run(ctx context.Context, args ...string) (string, error) {
	out, _, err := e.Docker.Run(ctx, "", args...)
	return out, err
}

// Ping returns an error if the engine does not answer.
func (e *Engine) Ping(ctx context.Context) error {
	return e.do(ctx, []string{"container", "ls", "--quiet", "--last=1"})
}

// pull pulls an image, unless it is there: Docker Hub counts a pull of what is there, too.
func (e *Engine) pull(ctx context.Context, image, platform string) error {
	if e.do(ctx, []string{"image", "inspect", image}) == nil {
		return nil
	}
	args := []string{"pull", "--quiet"}
	if platform != "" {
		args = append(args, "--platform="+platform)
	}
	if err := e.do(ctx, append(args, image)); err != nil {
		return unavailable(err)
	}
	return nil
}

// containers returns all containers by name, running or not.
func (e *Engine) containers(ctx context.Context) (map[string]inspected, error) {
	ids, err := e.run(ctx, "container", "ls", "--all", "--quiet", "--no-trunc")
	if err != nil {
		return nil, err
	}
	return e.existing(ctx, strings.Fields(ids)...)
}

// existing is inspect for containers that need not exist.
func (e *Engine) existing(ctx context.Context, ids ...string) (map[string]inspected, error) {
	all, err := e.inspect(ctx, ids...)
	if err != nil && strings.Contains(err.Error(), "No such container") {
		err = nil
	}
	return all, err
}

// inspect returns containers by name. If some do not exist, it returns the others and an
// error.
func (e *Engine) inspect(ctx context.Context, ids ...string) (map[string]inspected, error) {
	all := make(map[string]inspected)
	if len(ids) == 0 {
		return all, nil
	}
	out, err := e.run(ctx, append([]string{"container", "inspect"}, ids...)...)
	if err != nil && out == "" {
		return nil, err
	}
	var list []inspected
	if invalid := json.Unmarshal([]byte(out), &list); invalid != nil {
		return nil, errors.Join(err, fmt.Errorf("docker container inspect: %w", invalid))
	}
	for _, c := range list {
		c.Name = strings.TrimPrefix(c.Name, "/")
		all[c.Name] = c
	}
	return all, err
}

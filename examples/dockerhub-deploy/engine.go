package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An engine controls Docker through its command-line program.
type engine struct {
	command
	healthTimeout time.Duration // timeout for the health check of a container
	minUptime     time.Duration // how long a container without a health check must run
}

// A container has the fields of "docker container inspect" that are needed. It has
// all fields of HostConfig, so that no setting is lost silently.
type container struct {
	ID           string
	Image        string // id of the image, not its name
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
		imageConfig
		Image          string // name of the image that it was created from
		Hostname       string
		Domainname     string
		Tty, OpenStdin bool
		StopTimeout    *int
	}
	HostConfig      map[string]json.RawMessage
	Mounts          []mount
	NetworkSettings struct{ Networks map[string]network }
}

type mount struct {
	Type, Name, Source, Destination, Mode, Propagation string
	RW                                                 bool
}

type network struct {
	Aliases    []string
	NetworkID  string
	IPAMConfig *struct{ IPv4Address, IPv6Address string }
}

// imageConfig has the defaults of an image, which a container may override.
type imageConfig struct {
	User, WorkingDir, StopSignal string
	Env, Cmd, Entrypoint         []string
	Labels                       map[string]string
	ExposedPorts                 map[string]struct{}
	Healthcheck                  *healthcheck
}

type healthcheck struct {
	Test                                          []string
	Interval, Timeout, StartPeriod, StartInterval time.Duration
	Retries                                       int
}

type image struct {
	RepoDigests []string
	Config      imageConfig
}

// names returns the names of all containers, running or not.
func (e *engine) names(ctx context.Context) (map[string]bool, error) {
	out, err := e.run(ctx, "", "container", "ls", "--all", "--format", "{{.Names}}")
	names := make(map[string]bool)
	for _, name := range strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == ',' }) {
		names[strings.TrimSpace(name)] = true
	}
	return names, err
}

func (e *engine) container(ctx context.Context, name string) (container, error) {
	return inspect[container](ctx, e, "container", name)
}

func (e *engine) image(ctx context.Context, id string) (image, error) {
	return inspect[image](ctx, e, "image", id)
}

func inspect[T any](ctx context.Context, e *engine, kind, name string) (T, error) {
	var all []T
	var none T
	out, err := e.run(ctx, "", kind, "inspect", name)
	if err != nil {
		return none, err
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 1 {
		return none, fmt.Errorf("docker %s inspect %s: invalid output: %w", kind, name, errors.Join(err))
	}
	return all[0], nil
}

// runs reports whether the container, whose image is img, runs and img has the
// digest.
func (c container) runs(img image, digest string) bool {
	return c.State.Running && !c.State.Restarting &&
		slices.ContainsFunc(img.RepoDigests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) })
}

// containerNetworkPrefix is the prefix of the network mode of a container that
// uses the network of another container.
const containerNetworkPrefix = "container:"

// inheritsHostname reports whether a container uses the host name of another
// container or of the machine. Inspect shows that name as the container's own, but
// the engine rejects it as a flag (moby: runconfig, "conflicting options: hostname
// and ...").
func (c container) inheritsHostname() bool {
	return strings.HasPrefix(c.hostConfigString("NetworkMode"), containerNetworkPrefix) || c.hostConfigString("UTSMode") != ""
}

// hostConfigString returns a string field of HostConfig.
func (c container) hostConfigString(field string) string {
	var text string
	_ = json.Unmarshal(c.HostConfig[field], &text)
	return text
}

// classifyStartError returns the reason why a container could not be started. It
// is errRejected unless the command timed out or the engine is unavailable, which
// says nothing about the image.
func (e *engine) classifyStartError(ctx context.Context, err error) error {
	if errors.Is(err, errCommandTimeout) {
		return err
	}
	if _, namesErr := e.names(ctx); namesErr != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errRejected, err)
}

// healthPollInterval is the time between two health checks of a container.
const healthPollInterval = 250 * time.Millisecond

// waitHealthy waits until all containers, which were started together, are
// healthy: their health check has passed or, without one, they have run for
// minUptime. It returns errRejected if one is not.
func (e *engine) waitHealthy(ctx context.Context, names ...string) error {
	var begin time.Time // set after the first check, so that a slow engine does not shorten the times
	tick := time.NewTicker(healthPollInterval)
	defer tick.Stop()
	for {
		var elapsed time.Duration
		if !begin.IsZero() {
			elapsed = time.Since(begin)
		}
		allHealthy := true
		for _, name := range names {
			c, err := e.container(ctx, name)
			if err != nil {
				return err
			}
			healthy, err := e.checkHealth(c, elapsed)
			if err != nil {
				return err
			}
			allHealthy = allHealthy && healthy
		}
		if allHealthy {
			return nil
		}
		if begin.IsZero() {
			begin = time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// checkHealth reports whether a container that has been watched for the elapsed
// time is healthy, or returns the reason for rejecting it.
func (e *engine) checkHealth(c container, elapsed time.Duration) (bool, error) {
	switch health := c.State.Health; {
	case !c.State.Running, c.State.Restarting, c.RestartCount > 0:
		return false, fmt.Errorf("%w: exited with status %d", errRejected, c.State.ExitCode)
	case health == nil || health.Status == "none":
		return elapsed >= e.minUptime, nil
	case health.Status == "healthy":
		return true, nil
	case health.Status == "unhealthy":
		var output tail
		if n := len(health.Log); n > 0 {
			_, _ = output.Write([]byte(health.Log[n-1].Output))
		}
		return false, fmt.Errorf("%w: unhealthy: %s", errRejected, output.oneLine())
	case elapsed > e.healthTimeout:
		return false, fmt.Errorf("%w: not healthy within %s", errRejected, e.healthTimeout)
	default:
		return false, nil
	}
}

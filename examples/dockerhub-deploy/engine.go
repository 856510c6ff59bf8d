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

// An engine is Docker as its command line program shows it.
type engine struct {
	command
	within time.Duration // how long a health check may take to pass
	steady time.Duration // how long a container without one must run
}

// A container is the part of "docker container inspect" that is needed. Of
// HostConfig all is kept, so that nothing that a person has set is lost unseen.
type container struct {
	ID           string
	Image        string // its id, not its name
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
		Image          string // the name it was created from
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

// imageConfig is what an image presets and a container may override.
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

// names returns those of all containers, running or not.
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
		return none, fmt.Errorf("docker %s inspect %s: unreadable answer: %w", kind, name, errors.Join(err))
	}
	return all[0], nil
}

// runs reports whether a container of img is up and img has that digest.
func (c container) runs(img image, digest string) bool {
	return c.State.Running && !c.State.Restarting &&
		slices.ContainsFunc(img.RepoDigests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) })
}

// sharedStack begins the network mode of a container that is in another one's
// network.
const sharedStack = "container:"

// sharesName reports whether a container has the name of another one, or of the
// machine. Inspect tells that as if it were its own, but the engine refuses it as
// a flag (moby: runconfig, "conflicting options: hostname and ...").
func (c container) sharesName() bool {
	return strings.HasPrefix(c.mode("NetworkMode"), sharedStack) || c.mode("UTSMode") != ""
}

// mode returns a field of HostConfig that is a text.
func (c container) mode(field string) string {
	var text string
	_ = json.Unmarshal(c.HostConfig[field], &text)
	return text
}

// blame returns why a container could not be started: errRejected, unless the
// command was cut off or the engine is not there at all, which say nothing of the
// image.
func (e *engine) blame(ctx context.Context, err error) error {
	if errors.Is(err, errTooLong) {
		return err
	}
	if _, gone := e.names(ctx); gone != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errRejected, err)
}

// healthPoll is how often a container is looked at.
const healthPoll = 250 * time.Millisecond

// wait returns when all of these containers, which were started at once, are
// healthy: their checks have passed, or, where there is none, they have run for a
// while. One that is not is errRejected.
func (e *engine) wait(ctx context.Context, names ...string) error {
	var begin time.Time // after the first look, so that slow answers shorten nothing
	tick := time.NewTicker(healthPoll)
	defer tick.Stop()
	for {
		var took time.Duration
		if !begin.IsZero() {
			took = time.Since(begin)
		}
		all := true
		for _, name := range names {
			c, err := e.container(ctx, name)
			if err != nil {
				return err
			}
			well, err := e.judge(c, took)
			if err != nil {
				return err
			}
			all = all && well
		}
		if all {
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

// judge reports whether a container is well that has been watched for so long,
// or returns why it is rejected.
func (e *engine) judge(c container, took time.Duration) (bool, error) {
	switch health := c.State.Health; {
	case !c.State.Running, c.State.Restarting, c.RestartCount > 0:
		return false, fmt.Errorf("%w: it exited with status %d", errRejected, c.State.ExitCode)
	case health == nil || health.Status == "none":
		return took >= e.steady, nil
	case health.Status == "healthy":
		return true, nil
	case health.Status == "unhealthy":
		var said tail
		if n := len(health.Log); n > 0 {
			_, _ = said.Write([]byte(health.Log[n-1].Output))
		}
		return false, fmt.Errorf("%w: unhealthy: %s", errRejected, said.text())
	case took > e.within:
		return false, fmt.Errorf("%w: not healthy within %s", errRejected, e.within)
	default:
		return false, nil
	}
}

package main

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

type state struct {
	Containers []*container
	Images     []*image
	Serial     int
}

type image struct {
	ID          string `json:"Id"`
	RepoDigests []string
	Config      config
}

type config struct {
	Image       string            `json:",omitempty"`
	Env         []string          `json:",omitempty"`
	Cmd         []string          `json:",omitempty"`
	Labels      map[string]string `json:",omitempty"`
	Healthcheck *healthcheck      `json:",omitempty"`
}

type healthcheck struct {
	Test        []string
	StartPeriod time.Duration
}

type container struct {
	ID              string `json:"Id"`
	Name            string
	Image           string
	Created         time.Time
	RestartCount    int
	State           containerState
	Config          config
	HostConfig      hostConfig
	NetworkSettings struct{ Networks map[string]any }
	Inspections     int `json:"fake_inspections"` // since the start; each inspection advances the time
}

type containerState struct {
	Running, Restarting bool
	ExitCode            int
	Health              *health `json:",omitempty"`
}

type health struct {
	Status string
	Log    []logEntry
}

type logEntry struct{ Output string }

type hostConfig struct {
	NetworkMode string
	VolumesFrom []string
	AutoRemove  bool
	Ports       []string `json:"fake_ports"`
}

// help is what docker 28.2 prints for "create --help".
//
//go:embed help.txt
var help string

// find returns a container by its name, its id, or a prefix of its id.
func (s *state) find(name string) (*container, error) {
	for _, c := range s.Containers {
		if c.Name == "/"+name || len(name) >= 5 && strings.HasPrefix(c.ID, name) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("No such container: %s", name) //nolint:staticcheck // the engine's words
}

// image returns an image by id or name:tag@digest, where the tag is ignored.
func (s *state) image(ref string) *image {
	name, digest, _ := strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	for _, i := range s.Images {
		if i.ID == ref || slices.Contains(i.RepoDigests, name+"@"+digest) {
			return i
		}
	}
	return nil
}

// create creates a container as "docker create" does. It knows the options of the tests.
func (d *fakeDocker) create(args []string) (string, error) {
	d.state.Serial++
	c := &container{ID: fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, "container ", d.state.Serial))), Created: time.Now()}
	c.HostConfig.NetworkMode = "default"
	labels := make(map[string]string)
	var env []string
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		option, value, _ := strings.Cut(args[0][2:], "=")
		args = args[1:]
		switch option {
		case "name":
			c.Name = "/" + value
		case "label":
			name, text, _ := strings.Cut(value, "=")
			labels[name] = text
		case "rm":
			c.HostConfig.AutoRemove = true
		case "publish":
			c.HostConfig.Ports = append(c.HostConfig.Ports, value)
		case "network":
			if other, ok := strings.CutPrefix(value, "container:"); ok {
				base, err := d.state.find(other)
				if err != nil {
					return "", err
				}
				value = "container:" + base.ID
			}
			c.HostConfig.NetworkMode = value
		case "volumes-from":
			if _, err := d.state.find(value); err != nil {
				return "", err
			}
			c.HostConfig.VolumesFrom = append(c.HostConfig.VolumesFrom, value)
		case "env-file":
			text, err := os.ReadFile(value)
			if err != nil {
				return "", err
			}
			env = append(env, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		case "pull", "restart":
		default:
			return "", fmt.Errorf("unknown flag: --%s", option)
		}
	}
	if other, err := d.state.find(c.Name[1:]); err == nil {
		return "", fmt.Errorf("Conflict. The container name %q is already in use by container %q", c.Name, other.ID) //nolint:staticcheck // the engine's words
	}
	img := d.state.image(args[0])
	if img == nil {
		return "", fmt.Errorf("No such image: %s", args[0]) //nolint:staticcheck // the engine's words
	}
	c.Image, c.Config = img.ID, img.Config
	for name, text := range img.Config.Labels {
		labels[name] = text
	}
	c.Config.Image, c.Config.Labels, c.Config.Env = args[0], labels, append(slices.Clone(img.Config.Env), env...)
	if len(args) > 1 {
		c.Config.Cmd = args[1:]
	}
	d.state.Containers = append(d.state.Containers, c)
	return c.ID + "\n", nil
}

// advance sets the state of a container some time after its start.
func (c *container) advance() {
	c.Inspections++
	switch outcome := c.Config.Labels["fake.health"]; {
	case !c.State.Running || c.Inspections < 2, outcome == "starting", outcome == "late" && c.Inspections < 16:
	case outcome == "exits":
		c.State.Running, c.State.ExitCode = false, 3
	case c.State.Health != nil && outcome == "unhealthy":
		c.State.Health = &health{"unhealthy", []logEntry{{"connection refused"}}}
	case c.State.Health != nil:
		c.State.Health = &health{Status: "healthy"}
	}
}

func (d *fakeDocker) start(name string) error {
	c, err := d.state.find(name)
	if err != nil || c.State.Running {
		return err
	}
	for _, other := range d.state.Containers {
		for _, port := range c.HostConfig.Ports {
			if other.State.Running && slices.Contains(other.HostConfig.Ports, port) {
				return fmt.Errorf("driver failed programming external connectivity on endpoint %s: Bind for 0.0.0.0:%s failed: port is already allocated", name, port)
			}
		}
	}
	if id, ok := strings.CutPrefix(c.HostConfig.NetworkMode, "container:"); ok {
		other, err := d.state.find(id)
		if err != nil {
			return err
		}
		if !other.State.Running {
			return fmt.Errorf("cannot join network of a non running container: %s", other.ID)
		}
	}
	c.State, c.Inspections = containerState{Running: true}, 0
	if h := c.Config.Healthcheck; h != nil {
		c.State.Health = &health{Status: "starting"}
	}
	return nil
}

func (d *fakeDocker) rename(from, to string) error {
	c, err := d.state.find(from)
	if err != nil {
		return err
	}
	if _, err := d.state.find(to); err == nil {
		return errors.New("Error when allocating new name: Conflict. The container name is already in use") //nolint:staticcheck // the engine's words
	}
	c.Name = "/" + to
	return nil
}

func (d *fakeDocker) remove(name string) error {
	c, err := d.state.find(name)
	if err != nil {
		return err
	}
	d.state.Containers = slices.DeleteFunc(d.state.Containers, func(o *container) bool { return o == c })
	return nil
}

package main

import (
	"crypto/sha256"
	"fmt"
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
	RepoTags    []string
	RepoDigests []string
	Config      config
}

type config struct {
	Hostname     string              `json:",omitempty"`
	Domainname   string              `json:",omitempty"`
	User         string              `json:",omitempty"`
	WorkingDir   string              `json:",omitempty"`
	StopSignal   string              `json:",omitempty"`
	StopTimeout  *int                `json:",omitempty"`
	Env          []string            `json:",omitempty"`
	Cmd          []string            `json:",omitempty"`
	Entrypoint   []string            `json:",omitempty"`
	Labels       map[string]string   `json:",omitempty"`
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Healthcheck  *healthcheck        `json:",omitempty"`
	Image        string              `json:",omitempty"`
	Tty          bool
	OpenStdin    bool
}

type healthcheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

type container struct {
	ID              string `json:"Id"`
	Name            string
	Image           string
	RestartCount    int
	State           containerState
	Config          config
	HostConfig      map[string]any
	Mounts          []mount
	NetworkSettings struct{ Networks map[string]*network }
	Inspections     int `json:"fake_inspections"` // since the start; each inspection advances the time
}

type containerState struct {
	Status              string
	Running, Restarting bool
	ExitCode            int
	Health              *health `json:",omitempty"`
}

type health struct {
	Status string
	Log    []logEntry
}

type logEntry struct{ Output string }

type mount struct {
	Type, Name, Source, Destination, Mode, Propagation string
	RW                                                 bool
}

type network struct {
	Aliases    []string
	NetworkID  string
	IPAMConfig *ipam
}

type ipam struct{ IPv4Address string }

// find returns a container by its name, its id, or a prefix of its id.
func (s *state) find(name string) (*container, error) {
	for _, c := range s.Containers {
		if c.Name == "/"+name || len(name) >= 12 && strings.HasPrefix(c.ID, name) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no such container: %s", name)
}

// image returns an image by id, name:tag, or name:tag@digest, where the tag is
// ignored.
func (s *state) image(ref string) *image {
	name, digest, pinned := strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(name, ':'); pinned && colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	for _, i := range s.Images {
		if i.ID == ref || slices.Contains(i.RepoTags, ref) || pinned && slices.Contains(i.RepoDigests, name+"@"+digest) {
			return i
		}
	}
	return nil
}

func (s *state) newID() string {
	s.Serial++
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, "container ", s.Serial)))
}

// inspectContainer returns a container and advances its state.
func (d *fakeDocker) inspectContainer(name string) (string, error) {
	c, err := d.state.find(name)
	if err != nil {
		return "[]\n", err
	}
	if c.State.Running {
		if c.Inspections++; c.Inspections >= 2 {
			d.advance(c)
		}
	}
	return indentJSON([]any{c})
}

// advance sets the state of a container some time after its start.
func (d *fakeDocker) advance(c *container) {
	outcome := c.Config.Labels["fake.health"]
	policy, _ := c.HostConfig["RestartPolicy"].(map[string]any)
	switch {
	case outcome == "starting", outcome == "late" && c.Inspections < 16:
	case c.Inspections > 2 && outcome != "late": // no further change
	case outcome == "exits" && policy != nil && policy["Name"] != "no":
		c.State.Restarting, c.State.ExitCode = true, 3
		c.RestartCount++
	case outcome == "exits":
		c.State.Running, c.State.ExitCode, c.State.Status = false, 3, "exited"
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
	for _, port := range c.hostPorts() {
		for _, other := range d.state.Containers {
			if other.State.Running && slices.Contains(other.hostPorts(), port) {
				return fmt.Errorf("driver failed programming external connectivity on endpoint %s: Bind for 0.0.0.0:%s failed: port is already allocated", name, port)
			}
		}
	}
	if mode, _ := c.HostConfig["NetworkMode"].(string); strings.HasPrefix(mode, "container:") {
		other, err := d.state.find(strings.TrimPrefix(mode, "container:"))
		if err != nil {
			return err
		}
		if !other.State.Running {
			return fmt.Errorf("cannot join network of a non running container: %s", other.ID)
		}
		c.Config.Hostname, c.Config.Domainname = other.Config.Hostname, other.Config.Domainname
	}
	c.State, c.Inspections = containerState{Running: true, Status: "running"}, 0
	if h := c.Config.Healthcheck; h != nil && len(h.Test) > 0 && h.Test[0] != "NONE" {
		c.State.Health = &health{Status: "starting"}
	}
	return nil
}

func (c *container) hostPorts() []string {
	var ports []string
	bindings, _ := c.HostConfig["PortBindings"].(map[string]any)
	for _, list := range bindings {
		for _, b := range list.([]any) {
			if port, _ := b.(map[string]any)["HostPort"].(string); port != "" {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

func (d *fakeDocker) stop(name string) error {
	c, err := d.state.find(name)
	if err != nil || !c.State.Running {
		return err
	}
	c.State = containerState{Status: "exited", ExitCode: 143, Health: c.State.Health}
	return nil
}

func (d *fakeDocker) rename(from, to string) error {
	c, err := d.state.find(from)
	if err != nil {
		return err
	}
	if other, err := d.state.find(to); err == nil {
		return fmt.Errorf("error when allocating new name: conflict: the container name %q is already in use by container %q", "/"+to, other.ID)
	}
	c.Name = "/" + to
	return nil
}

func (d *fakeDocker) remove(name string, force bool) error {
	c, err := d.state.find(name)
	if err != nil {
		return err
	}
	if c.State.Running && !force {
		return fmt.Errorf("cannot remove container %q: container is running: stop the container before removing or force remove", c.Name)
	}
	d.state.Containers = slices.DeleteFunc(d.state.Containers, func(o *container) bool { return o == c })
	return nil
}

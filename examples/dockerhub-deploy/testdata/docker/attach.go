package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
)

// publish reads [ip:][hostport:]port/protocol. It uses the types of decoded JSON.
func (c *container) publish(list []string) {
	bindings := make(map[string]any)
	for _, p := range list {
		parts := strings.Split(p, ":")
		port := parts[len(parts)-1]
		binding := map[string]any{"HostIp": "", "HostPort": ""}
		if len(parts) > 1 {
			binding["HostPort"] = parts[len(parts)-2]
		}
		if len(parts) > 2 {
			binding["HostIp"] = parts[0]
		}
		bound, _ := bindings[port].([]any)
		bindings[port] = append(bound, binding)
	}
	c.HostConfig["PortBindings"] = bindings
}

// mount reads source:destination[:mode]; without a source it is a new volume.
func (c *container) mount(v string) {
	parts := strings.SplitN(v, ":", 3)
	m := mount{Type: "volume", RW: true}
	switch {
	case len(parts) == 1:
		m.Name, m.Destination = c.ID, parts[0] // 64 hexadecimal digits
	case strings.HasPrefix(parts[0], "/"):
		m.Type, m.Source, m.Destination, m.Propagation = "bind", parts[0], parts[1], "rprivate"
	default:
		m.Name, m.Destination, m.Mode = parts[0], parts[1], "z"
	}
	if m.Type == "volume" {
		m.Source = "/var/lib/docker/volumes/" + m.Name + "/_data"
	}
	if len(parts) == 3 {
		m.Mode = parts[2]
		m.RW = !slices.Contains(strings.Split(parts[2], ","), "ro")
	}
	c.Mounts = append(c.Mounts, m)
}

func (c *container) join(name string, aliases []string, ip string) {
	if strings.HasPrefix(name, "container:") {
		return
	}
	if c.NetworkSettings.Networks == nil {
		c.NetworkSettings.Networks = make(map[string]*network)
	}
	n := &network{NetworkID: "id-of-" + name}
	if name != "bridge" && name != "host" {
		n.Aliases = append(slices.Clone(aliases), c.ID[:12])
	}
	if ip != "" {
		n.IPAMConfig = &ipam{ip}
	}
	c.NetworkSettings.Networks[name] = n
}

func (d *fakeDocker) connect(args []string) error {
	fs := flag.NewFlagSet("connect", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var aliases stringList
	fs.Var(&aliases, "alias", "")
	ip := fs.String("ip", "", "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	c, err := d.state.find(fs.Arg(1))
	if err != nil {
		return err
	}
	if mode, _ := c.HostConfig["NetworkMode"].(string); mode == "host" || strings.HasPrefix(mode, "container:") {
		return errors.New("container sharing network namespace with another container or host cannot be connected to any other network")
	}
	c.join(fs.Arg(0), aliases, *ip)
	return nil
}

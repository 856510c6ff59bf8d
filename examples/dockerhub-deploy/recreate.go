package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A creation is the command that creates a container with the configuration of
// another one.
type creation struct {
	flags     []string
	env       string   // lines for --env-file: values do not show in the list of processes
	words     []string // behind the image
	connects  [][]string
	exclusive bool // both cannot run at once
}

func (c *creation) args(name, image string) []string {
	args := append([]string{"create", "--name=" + name, "--pull=never", "--env-file=/dev/stdin"}, c.flags...)
	return append(append(args, image), c.words...)
}

func (c *creation) flag(name, value string) { c.flags = append(c.flags, "--"+name+"="+value) }

// recreate returns how to create a container like old, with what its image
// presets left to the new image. What it cannot carry over is errUnsuited: it
// says so rather than lose it.
func recreate(old container, preset imageConfig, name string) (*creation, error) {
	c := new(creation)
	c.flag("label", replacesLabel+"="+name)
	c.flag("label", wasRunningLabel+"="+strconv.FormatBool(old.State.Running))
	steps := []func() error{
		func() error { return c.process(old, preset) },
		func() error { return c.health(old.Config.Healthcheck, preset.Healthcheck) },
		func() error { return c.mounts(old) },
		func() error { return c.networks(old) },
		func() error { return c.host(old.HostConfig) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("%w: %s: %w; replace it by -compose or -exec", errUnsuited, name, err)
		}
	}
	return c, nil
}

// process carries over what is run and as whom.
func (c *creation) process(old container, preset imageConfig) error {
	cfg := old.Config
	for _, variable := range cfg.Env {
		switch {
		case slices.Contains(preset.Env, variable):
		case strings.ContainsAny(variable, "\r\n") || strings.HasPrefix(variable, "#"):
			c.flag("env", variable) // no line of a file can hold it
		default:
			c.env += variable + "\n"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Labels)) {
		value, ours := cfg.Labels[key], key == replacesLabel || key == wasRunningLabel
		if was, ok := preset.Labels[key]; !ours && (!ok || was != value) {
			c.flag("label", key+"="+value)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(cfg.ExposedPorts)) {
		if _, ok := preset.ExposedPorts[port]; !ok {
			c.flag("expose", port)
		}
	}
	for _, text := range []struct{ flag, value, preset string }{
		{"user", cfg.User, preset.User},
		{"workdir", cfg.WorkingDir, preset.WorkingDir},
		{"stop-signal", cfg.StopSignal, preset.StopSignal},
	} {
		if text.value != text.preset && text.value != "" {
			c.flag(text.flag, text.value)
		}
	}
	if !old.sharesName() {
		if cfg.Domainname != "" {
			c.flag("domainname", cfg.Domainname)
		}
		if chosen := old.ID[:min(12, len(old.ID))]; cfg.Hostname != "" && cfg.Hostname != chosen {
			c.flag("hostname", cfg.Hostname)
		}
	}
	if cfg.StopTimeout != nil {
		c.flag("stop-timeout", strconv.Itoa(*cfg.StopTimeout))
	}
	if cfg.Tty {
		c.flag("tty", "true")
	}
	if cfg.OpenStdin {
		c.flag("interactive", "true")
	}
	switch {
	case !slices.Equal(cfg.Entrypoint, preset.Entrypoint):
		// The flag takes one word, and clears the image's command.
		first, rest := "", []string(nil)
		if len(cfg.Entrypoint) > 0 {
			first, rest = cfg.Entrypoint[0], cfg.Entrypoint[1:]
		}
		c.flag("entrypoint", first)
		c.words = append(slices.Clone(rest), cfg.Cmd...)
	case !slices.Equal(cfg.Cmd, preset.Cmd):
		c.words = cfg.Cmd
	}
	return nil
}

func (c *creation) health(own, preset *healthcheck) error {
	if own == nil || len(own.Test) == 0 || reflect.DeepEqual(own, preset) {
		return nil
	}
	switch {
	case own.Test[0] == "NONE":
		c.flags = append(c.flags, "--no-healthcheck")
		return nil
	case preset != nil && slices.Equal(own.Test, preset.Test): // only its times differ
	case own.Test[0] == "CMD-SHELL" && len(own.Test) == 2:
		c.flag("health-cmd", own.Test[1])
	default:
		return fmt.Errorf("a health check of the form %s cannot be carried over", own.Test[0])
	}
	c.flag("health-interval", own.Interval.String())
	c.flag("health-timeout", own.Timeout.String())
	c.flag("health-start-period", own.StartPeriod.String())
	if own.StartInterval > 0 {
		c.flag("health-start-interval", own.StartInterval.String())
	}
	c.flag("health-retries", strconv.Itoa(own.Retries))
	return nil
}

// mounts gives the new one the old one's volumes, also those without a name of
// their own, so that their data stays.
func (c *creation) mounts(old container) error {
	for _, m := range old.Mounts {
		source := m.Source
		switch m.Type {
		case "bind":
		case "volume":
			source = m.Name
		case "tmpfs":
			c.flag("tmpfs", m.Destination)
			continue
		default:
			return fmt.Errorf("a mount of type %q cannot be carried over", m.Type)
		}
		mode := slices.DeleteFunc(strings.Split(m.Mode, ","), func(s string) bool { return s == "" || s == "ro" || s == "rw" })
		if !m.RW {
			mode = append(mode, "ro")
		}
		if m.Propagation != "" && m.Propagation != "rprivate" && !slices.Contains(mode, m.Propagation) {
			mode = append(mode, m.Propagation)
		}
		if strings.Contains(source+m.Destination, ":") {
			return fmt.Errorf("a mount of %q with a colon cannot be carried over", source)
		}
		value := source + ":" + m.Destination
		if len(mode) > 0 {
			value += ":" + strings.Join(mode, ",")
		}
		c.flag("volume", value)
	}
	return nil
}

// networks connects the new one where the old one is, under the same aliases.
func (c *creation) networks(old container) error {
	mode := old.mode("NetworkMode")
	if mode == "" || mode == "default" {
		mode = "bridge"
	}
	c.flag("network", mode)
	if mode == "host" || mode == "none" || strings.HasPrefix(mode, sharedStack) {
		c.exclusive = mode != "none" // the ports of one stack
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(old.NetworkSettings.Networks)) {
		n := old.NetworkSettings.Networks[name]
		first := name == mode || n.NetworkID != "" && n.NetworkID == mode
		flags, alias := []string{"network", "connect"}, "alias"
		if first {
			flags, alias = nil, "network-alias"
		}
		for _, a := range n.Aliases {
			if !strings.HasPrefix(old.ID, a) {
				flags = append(flags, "--"+alias+"="+a)
			}
		}
		if ip := n.IPAMConfig; ip != nil && ip.IPv4Address != "" {
			flags, c.exclusive = append(flags, "--ip="+ip.IPv4Address), true
		}
		if ip := n.IPAMConfig; ip != nil && ip.IPv6Address != "" {
			flags, c.exclusive = append(flags, "--ip6="+ip.IPv6Address), true
		}
		if first {
			c.flags = append(c.flags, flags...)
		} else {
			c.connects = append(c.connects, append(flags, name))
		}
	}
	return nil
}

// host carries over HostConfig field by field. A field that is set and not known
// here is an error.
func (c *creation) host(config map[string]json.RawMessage) error {
	for _, field := range slices.Sorted(maps.Keys(config)) {
		raw := config[field]
		if isZero(raw) {
			continue
		}
		carry, known := hostFields[field]
		if !known {
			return fmt.Errorf("HostConfig.%s=%s cannot be carried over", field, raw)
		}
		if err := carry(c, raw); err != nil {
			return fmt.Errorf("HostConfig.%s: %w", field, err)
		}
	}
	return nil
}

func isZero(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", `""`, "0", "false", "[]", "{}":
		return true
	}
	return false
}

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

// A createCommand is a "docker create" command for a container with the
// configuration of another one.
type createCommand struct {
	flags           []string
	env             string   // lines for --env-file, so that the values do not appear in the process list
	command         []string // arguments after the image
	networkConnects [][]string
	stopOldFirst    bool // the old and the new container cannot run at the same time
}

func (c *createCommand) args(name, image string) []string {
	args := append([]string{"create", "--name=" + name, "--pull=never", "--env-file=/dev/stdin"}, c.flags...)
	return append(append(args, image), c.command...)
}

func (c *createCommand) addFlag(name, value string) { c.flags = append(c.flags, "--"+name+"="+value) }

// newCreateCommand returns the command to create a container like old. It leaves
// out the defaults of old's image, so that the defaults of the new image apply. It
// returns errNotReplaceable for a setting that it cannot copy, so no setting is
// lost silently.
func newCreateCommand(old container, defaults imageConfig, name string) (*createCommand, error) {
	c := new(createCommand)
	c.addFlag("label", replacesLabel+"="+name)
	c.addFlag("label", wasRunningLabel+"="+strconv.FormatBool(old.State.Running))
	steps := []func() error{
		func() error { return c.addProcess(old, defaults) },
		func() error { return c.addHealthCheck(old.Config.Healthcheck, defaults.Healthcheck) },
		func() error { return c.addMounts(old) },
		func() error { return c.addNetworks(old) },
		func() error { return c.addHostConfig(old.HostConfig) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("%w: %s: %w; use -compose or -exec instead", errNotReplaceable, name, err)
		}
	}
	return c, nil
}

// addProcess copies the command, the environment, the user and related settings.
func (c *createCommand) addProcess(old container, defaults imageConfig) error {
	cfg := old.Config
	for _, variable := range cfg.Env {
		switch {
		case slices.Contains(defaults.Env, variable):
		case strings.ContainsAny(variable, "\r\n") || strings.HasPrefix(variable, "#"):
			c.addFlag("env", variable) // cannot be a line of a file
		default:
			c.env += variable + "\n"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Labels)) {
		value, ours := cfg.Labels[key], key == replacesLabel || key == wasRunningLabel
		if was, ok := defaults.Labels[key]; !ours && (!ok || was != value) {
			c.addFlag("label", key+"="+value)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(cfg.ExposedPorts)) {
		if _, ok := defaults.ExposedPorts[port]; !ok {
			c.addFlag("expose", port)
		}
	}
	for _, text := range []struct{ flag, value, defaults string }{
		{"user", cfg.User, defaults.User},
		{"workdir", cfg.WorkingDir, defaults.WorkingDir},
		{"stop-signal", cfg.StopSignal, defaults.StopSignal},
	} {
		if text.value != text.defaults && text.value != "" {
			c.addFlag(text.flag, text.value)
		}
	}
	if !old.inheritsHostname() {
		if cfg.Domainname != "" {
			c.addFlag("domainname", cfg.Domainname)
		}
		if chosen := old.ID[:min(12, len(old.ID))]; cfg.Hostname != "" && cfg.Hostname != chosen {
			c.addFlag("hostname", cfg.Hostname)
		}
	}
	if cfg.StopTimeout != nil {
		c.addFlag("stop-timeout", strconv.Itoa(*cfg.StopTimeout))
	}
	if cfg.Tty {
		c.addFlag("tty", "true")
	}
	if cfg.OpenStdin {
		c.addFlag("interactive", "true")
	}
	switch {
	case !slices.Equal(cfg.Entrypoint, defaults.Entrypoint):
		// The flag accepts only one word, and clears the image's command.
		first, rest := "", []string(nil)
		if len(cfg.Entrypoint) > 0 {
			first, rest = cfg.Entrypoint[0], cfg.Entrypoint[1:]
		}
		c.addFlag("entrypoint", first)
		c.command = append(slices.Clone(rest), cfg.Cmd...)
	case !slices.Equal(cfg.Cmd, defaults.Cmd):
		c.command = cfg.Cmd
	}
	return nil
}

func (c *createCommand) addHealthCheck(own, defaults *healthcheck) error {
	if own == nil || len(own.Test) == 0 || reflect.DeepEqual(own, defaults) {
		return nil
	}
	switch {
	case own.Test[0] == "NONE":
		c.flags = append(c.flags, "--no-healthcheck")
		return nil
	case defaults != nil && slices.Equal(own.Test, defaults.Test): // only the timing differs
	case own.Test[0] == "CMD-SHELL" && len(own.Test) == 2:
		c.addFlag("health-cmd", own.Test[1])
	default:
		return fmt.Errorf("a health check of the form %s cannot be copied", own.Test[0])
	}
	c.addFlag("health-interval", own.Interval.String())
	c.addFlag("health-timeout", own.Timeout.String())
	c.addFlag("health-start-period", own.StartPeriod.String())
	if own.StartInterval > 0 {
		c.addFlag("health-start-interval", own.StartInterval.String())
	}
	c.addFlag("health-retries", strconv.Itoa(own.Retries))
	return nil
}

// addMounts copies the mounts, including anonymous volumes, so that the data is
// kept.
func (c *createCommand) addMounts(old container) error {
	for _, m := range old.Mounts {
		source := m.Source
		switch m.Type {
		case "bind":
		case "volume":
			source = m.Name
		case "tmpfs":
			c.addFlag("tmpfs", m.Destination)
			continue
		default:
			return fmt.Errorf("a mount of type %q cannot be copied", m.Type)
		}
		mode := slices.DeleteFunc(strings.Split(m.Mode, ","), func(s string) bool { return s == "" || s == "ro" || s == "rw" })
		if !m.RW {
			mode = append(mode, "ro")
		}
		if m.Propagation != "" && m.Propagation != "rprivate" && !slices.Contains(mode, m.Propagation) {
			mode = append(mode, m.Propagation)
		}
		if strings.Contains(source+m.Destination, ":") {
			return fmt.Errorf("a mount of %q with a colon cannot be copied", source)
		}
		value := source + ":" + m.Destination
		if len(mode) > 0 {
			value += ":" + strings.Join(mode, ",")
		}
		c.addFlag("volume", value)
	}
	return nil
}

// addNetworks connects the new container to the networks of the old one, with the
// same aliases.
func (c *createCommand) addNetworks(old container) error {
	mode := old.hostConfigString("NetworkMode")
	if mode == "" || mode == "default" {
		mode = "bridge"
	}
	c.addFlag("network", mode)
	if mode == "host" || mode == "none" || strings.HasPrefix(mode, containerNetworkPrefix) {
		c.stopOldFirst = mode != "none" // both would use the same ports
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
			flags, c.stopOldFirst = append(flags, "--ip="+ip.IPv4Address), true
		}
		if ip := n.IPAMConfig; ip != nil && ip.IPv6Address != "" {
			flags, c.stopOldFirst = append(flags, "--ip6="+ip.IPv6Address), true
		}
		if first {
			c.flags = append(c.flags, flags...)
		} else {
			c.networkConnects = append(c.networkConnects, append(flags, name))
		}
	}
	return nil
}

// addHostConfig copies HostConfig field by field. It returns an error for a field
// that is set and has no converter.
func (c *createCommand) addHostConfig(config map[string]json.RawMessage) error {
	for _, field := range slices.Sorted(maps.Keys(config)) {
		raw := config[field]
		if isZero(raw) {
			continue
		}
		convert, known := hostFields[field]
		if !known {
			return fmt.Errorf("HostConfig.%s=%s cannot be copied", field, raw)
		}
		if err := convert(c, raw); err != nil {
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

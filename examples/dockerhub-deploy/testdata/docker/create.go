package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stringList is a flag that may be repeated.
type stringList []string

func (t *stringList) String() string     { return "" }
func (t *stringList) Set(v string) error { *t = append(*t, v); return nil }

// hostStrings, hostNumbers, hostBools and hostLists map flags to the fields of
// HostConfig that have the flag's value.
var (
	hostStrings = map[string]string{"ipc": "IpcMode", "cgroupns": "CgroupnsMode", "runtime": "Runtime", "pid": "PidMode", "network": "NetworkMode", "uts": "UTSMode"}
	hostNumbers = map[string]string{"memory": "Memory", "memory-swap": "MemorySwap", "shm-size": "ShmSize", "pids-limit": "PidsLimit"}
	hostBools   = map[string]string{"privileged": "Privileged", "read-only": "ReadonlyRootfs", "init": "Init", "rm": "AutoRemove"}
	hostLists   = map[string]string{"cap-add": "CapAdd", "cap-drop": "CapDrop", "add-host": "ExtraHosts", "dns": "Dns", "security-opt": "SecurityOpt"}
)

// create creates a container as "docker create" does: settings without a flag come
// from the image.
func (d *fakeDocker) create(args []string) (string, error) {
	c := &container{ID: d.state.newID(), State: containerState{Status: "created"}, HostConfig: map[string]any{
		"NetworkMode": "default", "IpcMode": "private", "CgroupnsMode": "private", "Runtime": "runc", "ShmSize": 67108864,
		"RestartPolicy": map[string]any{"Name": "no", "MaximumRetryCount": 0},
		"LogConfig":     map[string]any{"Type": "json-file", "Config": map[string]string{}},
		"ConsoleSize":   []int{0, 0}, "AutoRemove": false, "Links": nil, "Memory": 0, "MemorySwappiness": nil,
		"MaskedPaths": []string{"/proc/acpi", "/proc/kcore"}, "ReadonlyPaths": []string{"/proc/bus"},
	}}
	fs := flag.NewFlagSet("create", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var env, envFiles, labels, expose, volumes, tmpfs, publish, aliases, logOpts, sysctls, links stringList
	for name, target := range map[string]*stringList{"env": &env, "env-file": &envFiles, "label": &labels, "expose": &expose, "volume": &volumes,
		"tmpfs": &tmpfs, "publish": &publish, "network-alias": &aliases, "log-opt": &logOpts, "sysctl": &sysctls, "link": &links} {
		fs.Var(target, name, "")
	}
	name, user, workdir := fs.String("name", "", ""), fs.String("user", "", ""), fs.String("workdir", "", "")
	hostname, entrypoint, restart := fs.String("hostname", "", ""), fs.String("entrypoint", "\x00", ""), fs.String("restart", "no", "")
	stopSignal, stopTimeout := fs.String("stop-signal", "", ""), fs.Int("stop-timeout", -1, "")
	logDriver, cpus, ip := fs.String("log-driver", "json-file", ""), fs.Float64("cpus", 0, ""), fs.String("ip", "", "")
	domainname := fs.String("domainname", "", "")
	tty, interactive := fs.Bool("tty", false, ""), fs.Bool("interactive", false, "")
	pull, noHealth := fs.String("pull", "missing", ""), fs.Bool("no-healthcheck", false, "")
	healthCmd, interval, timeout := fs.String("health-cmd", "", ""), fs.Duration("health-interval", 0, ""), fs.Duration("health-timeout", 0, "")
	startPeriod, retries := fs.Duration("health-start-period", 0, ""), fs.Int("health-retries", 0, "")
	lists := make(map[string]*stringList)
	for f := range hostLists {
		lists[f] = new(stringList)
		fs.Var(lists[f], f, "")
	}
	for f, field := range hostStrings {
		fs.Func(f, "", func(v string) error { c.HostConfig[field] = v; return nil })
	}
	for f, field := range hostNumbers {
		fs.Func(f, "", func(v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			c.HostConfig[field] = n
			return err
		})
	}
	for f, field := range hostBools {
		fs.BoolFunc(f, "", func(v string) error {
			b, err := strconv.ParseBool(v)
			c.HostConfig[field] = b
			return err
		})
	}
	if err := fs.Parse(args); err != nil {
		return "", err
	}
	if fs.NArg() == 0 {
		return "", errors.New(`"docker create" requires at least 1 argument`)
	}
	if other, err := d.state.find(*name); err == nil {
		return "", fmt.Errorf("conflict: The container name %q is already in use by container %q", "/"+*name, other.ID)
	}
	img := d.state.image(fs.Arg(0))
	if img == nil {
		return "", fmt.Errorf("no such image: %s (pull %s)", fs.Arg(0), *pull)
	}
	for f, list := range lists {
		if len(*list) > 0 {
			c.HostConfig[hostLists[f]] = []string(*list)
		}
	}
	mode := fmt.Sprint(c.HostConfig["NetworkMode"])
	if err := conflict(c.HostConfig, *hostname, len(publish)+len(expose)+len(links)); err != nil {
		return "", err
	}
	switch {
	case *hostname != "":
	case mode == "host":
		*hostname = "machine"
	default:
		*hostname = c.ID[:12]
	}
	c.Name, c.Image, c.Config = "/"+*name, img.ID, img.Config
	cfg := &c.Config
	cfg.Image, cfg.Hostname, cfg.Domainname, cfg.Tty, cfg.OpenStdin = fs.Arg(0), *hostname, *domainname, *tty, *interactive
	cfg.Labels, cfg.Env, cfg.ExposedPorts = maps.Clone(cfg.Labels), slices.Clone(cfg.Env), maps.Clone(cfg.ExposedPorts)
	for _, file := range envFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			env = append(env, strings.TrimSuffix(line, "\n"))
		}
	}
	for _, variable := range env {
		key, _, _ := strings.Cut(variable, "=")
		cfg.Env = slices.DeleteFunc(cfg.Env, func(v string) bool { return strings.HasPrefix(v, key+"=") })
		cfg.Env = append(cfg.Env, variable)
	}
	for _, label := range labels {
		if cfg.Labels == nil {
			cfg.Labels = make(map[string]string)
		}
		key, value, _ := strings.Cut(label, "=")
		cfg.Labels[key] = value
	}
	set(&cfg.User, *user)
	set(&cfg.WorkingDir, *workdir)
	set(&cfg.StopSignal, *stopSignal)
	if *stopTimeout >= 0 {
		cfg.StopTimeout = stopTimeout
	}
	if *entrypoint != "\x00" {
		cfg.Entrypoint, cfg.Cmd = nil, nil
		if *entrypoint != "" {
			cfg.Entrypoint = []string{*entrypoint}
		}
	}
	if fs.NArg() > 1 {
		cfg.Cmd = fs.Args()[1:]
	}
	switch {
	case *noHealth:
		cfg.Healthcheck = &healthcheck{Test: []string{"NONE"}}
	case *healthCmd != "":
		cfg.Healthcheck = &healthcheck{[]string{"CMD-SHELL", *healthCmd}, *interval, *timeout, *startPeriod, *retries}
	}
	policy, count, _ := strings.Cut(*restart, ":")
	maxRetries, _ := strconv.Atoi(count)
	c.HostConfig["RestartPolicy"] = map[string]any{"Name": policy, "MaximumRetryCount": maxRetries}
	c.HostConfig["LogConfig"] = map[string]any{"Type": *logDriver, "Config": pairs(logOpts)}
	c.HostConfig["NanoCpus"] = int64(*cpus * float64(time.Second))
	if len(sysctls) > 0 {
		c.HostConfig["Sysctls"] = pairs(sysctls)
	}
	if len(links) > 0 {
		c.HostConfig["Links"] = []string(links)
	}
	for _, t := range tmpfs {
		c.HostConfig["Tmpfs"] = map[string]string{t: ""}
	}
	c.publish(publish)
	for _, v := range volumes {
		c.mount(v)
	}
	if mode == "default" {
		mode = "bridge"
	}
	c.join(mode, aliases, *ip)
	d.state.Containers = append(d.state.Containers, c)
	return c.ID + "\n", nil
}

// conflict returns an error for options that the engine rejects (moby: runconfig).
func conflict(host map[string]any, hostname string, ports int) error {
	shared := strings.HasPrefix(fmt.Sprint(host["NetworkMode"]), "container:")
	switch {
	case shared && hostname != "":
		return errors.New("conflicting options: hostname and the network mode")
	case shared && host["Dns"] != nil:
		return errors.New("conflicting options: dns and the network mode")
	case shared && host["ExtraHosts"] != nil:
		return errors.New("conflicting options: custom host-to-IP mapping and the network mode")
	case shared && ports > 0:
		return errors.New("conflicting options: port publishing and the container type network mode")
	case host["UTSMode"] == "host" && hostname != "":
		return errors.New("conflicting options: hostname and the UTS mode")
	}
	return nil
}

func set(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func pairs(list []string) map[string]string {
	m := make(map[string]string)
	for _, p := range list {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return m
}

package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// A template is a file of options that is made from a container, for a person to check.
type template struct {
	lines, command, unwritten []string
}

// The fields of HostConfig whose value, or each element of it, is the value of an option.
var optionFields = map[string]string{
	"Binds": "volume", "CapAdd": "cap-add", "CapDrop": "cap-drop", "CgroupParent": "cgroup-parent", "CgroupnsMode": "cgroupns", "CpuShares": "cpu-shares",
	"CpusetCpus": "cpuset-cpus", "Dns": "dns", "DnsOptions": "dns-option", "DnsSearch": "dns-search", "ExtraHosts": "add-host", "GroupAdd": "group-add",
	"Init": "init", "IpcMode": "ipc", "Memory": "memory", "MemoryReservation": "memory-reservation", "MemorySwap": "memory-swap",
	"MemorySwappiness": "memory-swappiness", "NetworkMode": "network", "OomKillDisable": "oom-kill-disable", "OomScoreAdj": "oom-score-adj", "PidMode": "pid",
	"PidsLimit": "pids-limit", "Privileged": "privileged", "PublishAllPorts": "publish-all", "ReadonlyRootfs": "read-only", "Runtime": "runtime",
	"SecurityOpt": "security-opt", "ShmSize": "shm-size", "Sysctls": "sysctl", "UTSMode": "uts", "UsernsMode": "userns",
	"VolumesFrom": "volumes-from", "VolumeDriver": "volume-driver",
}

// defaultValues are values of HostConfig that an engine sets by itself. Every other value
// that is not empty, zero or false was chosen.
var defaultValues = []string{"NetworkMode default", "NetworkMode bridge", "IpcMode private", "IpcMode shareable", "CgroupnsMode private", "CgroupnsMode host",
	"Runtime runc", "ShmSize 67108864", "MemorySwappiness -1", "ConsoleSize [0 0]", "Isolation default"}

// PrintOptions writes a file of options for an existing container. Its head has what could
// not be written as an option. The result is for a person to check.
func PrintOptions(ctx context.Context, e *Engine, w io.Writer, name string) error {
	var c, img struct {
		ID, Name, Image string
		Config          map[string]any
		HostConfig      map[string]any
		Mounts          []struct{ Type, Name, Destination string }

		NetworkSettings struct{ Networks map[string]map[string]any }
	}
	if err := e.inspectOne(ctx, &c, "container", name); err != nil {
		return err
	}
	if err := e.inspectOne(ctx, &img, "image", c.Image); err != nil {
		return err
	}
	t := new(template)
	t.add("name", strings.TrimPrefix(c.Name, "/"))
	t.config(c.Config, img.Config)
	t.hostConfig(c.HostConfig)
	mode, host := fmt.Sprint(c.HostConfig["NetworkMode"]), fmt.Sprint(c.Config["Hostname"])
	if mode != "host" && !strings.HasPrefix(mode, "container:") && host != c.ID[:min(12, len(c.ID))] {
		t.add("hostname", host)
	}
	for _, m := range c.Mounts {
		if m.Type == "volume" && len(m.Name) == 64 {
			t.note("the volume without a name at %s: a new container gets a new one; copy the data to a named volume", m.Destination)
		}
	}
	for _, network := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		if network != mode && network != "bridge" && network != "host" && network != "none" {
			t.note("the network %s, beside %s: docker create takes several --network since API 1.44", network, mode)
		}
		for _, key := range []string{"IPAMConfig", "Links", "DriverOpts"} {
			if value := c.NetworkSettings.Networks[network][key]; value != nil && network != "bridge" {
				t.note("in the network %s: %s %s", network, key, compact(value))
			}
		}
		if aliases, ok := c.NetworkSettings.Networks[network]["Aliases"].([]any); ok {
			for _, alias := range aliases[:max(0, len(aliases)-1)] { // the last one is the id
				t.add("network-alias", fmt.Sprint(alias))
			}
		}
	}
	fmt.Fprintf(w, "# Options of the container %s, made by -print-options. Check each line.\n", name)
	for _, text := range t.unwritten {
		fmt.Fprintf(w, "# NOT WRITTEN: %s\n", strings.ReplaceAll(text, "\n", " "))
	}
	if len(t.command) > 0 {
		t.lines = append(append(t.lines, "--"), t.command...)
	}
	_, err := fmt.Fprintln(w, strings.Join(t.lines, "\n"))
	return err
}

func (e *Engine) inspectOne(ctx context.Context, to any, kind, name string) error {
	out, err := e.run(ctx, kind, "inspect", name)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(strings.TrimSpace(out))))
	d.UseNumber()
	list := []any{to}
	return d.Decode(&list)
}

func (t *template) add(option, value string) {
	if strings.ContainsAny(value, "\r\n") {
		t.note("--%s, whose value has several lines: %q", option, value)
		return
	}
	t.lines = append(t.lines, "--"+option+" "+value)
}

func (t *template) note(format string, args ...any) {
	t.unwritten = append(t.unwritten, fmt.Sprintf(format, args...))
}

// config writes the options of Config that the image does not set.
func (t *template) config(own, image map[string]any) {
	for field, option := range map[string]string{"User": "user", "WorkingDir": "workdir", "StopSignal": "stop-signal", "Env": "env", "Labels": "label",
		"ExposedPorts": "expose", "Domainname": "domainname", "MacAddress": "mac-address", "StopTimeout": "stop-timeout", "Tty": "tty", "OpenStdin": "interactive"} {
		defaults := values(image[field])
		for _, value := range values(own[field]) {
			if !slices.Contains(defaults, value) && !strings.HasPrefix(value, "hookhouse.") && !(field == "ExposedPorts" && value == "") {
				t.add(option, strings.TrimSuffix(value, "={}"))
			}
		}
	}
	slices.Sort(t.lines[1:])
	if compact(own["Healthcheck"]) != compact(image["Healthcheck"]) {
		t.note("the health check %s: see --health-cmd and so on", compact(own["Healthcheck"]))
	}
	if compact(own["Entrypoint"]) != compact(image["Entrypoint"]) {
		t.note("the entrypoint %s: --entrypoint takes one word, and the others are the first lines after --", compact(own["Entrypoint"]))
	}
	if compact(own["Cmd"]) != compact(image["Cmd"]) {
		t.command = values(own["Cmd"])
	}
}

// hostConfig writes the options of HostConfig.
func (t *template) hostConfig(host map[string]any) {
	for _, field := range slices.Sorted(maps.Keys(host)) {
		switch value := host[field]; field {
		case "PortBindings":
			ports, _ := value.(map[string]any)
			for _, port := range slices.Sorted(maps.Keys(ports)) {
				bindings, _ := ports[port].([]any)
				for _, b := range bindings {
					at, _ := b.(map[string]any)
					t.add("publish", strings.TrimPrefix(fmt.Sprintf("%v:%v:%s", at["HostIp"], at["HostPort"], port), ":"))
				}
			}
		case "RestartPolicy":
			policy, _ := value.(map[string]any)
			text := fmt.Sprint(policy["Name"])
			if n := fmt.Sprint(policy["MaximumRetryCount"]); n != "0" {
				text += ":" + n
			}
			if text != "no" && text != "" {
				t.add("restart", text)
			}
		case "NanoCpus":
			if n, ok := value.(json.Number); ok && n != "0" {
				cpus, _ := n.Float64()
				t.add("cpus", fmt.Sprint(cpus/float64(time.Second)))
			}
		case "LogConfig":
			logging, _ := value.(map[string]any)
			if logging["Type"] != "json-file" || len(values(logging["Config"])) > 0 {
				t.add("log-driver", fmt.Sprint(logging["Type"]))
				for _, o := range values(logging["Config"]) {
					t.add("log-opt", o)
				}
			}
		case "Tmpfs":
			for _, text := range values(value) {
				t.add("tmpfs", strings.TrimSuffix(strings.Replace(text, "=", ":", 1), ":"))
			}
		case "Init", "MemorySwappiness": // zero differs from none
			if value != nil && compact(value) != "-1" {
				t.add(optionFields[field], compact(value))
			}
		case "MaskedPaths", "ReadonlyPaths":
			if list, ok := value.([]any); ok && len(list) == 0 {
				t.note("%s is empty: see --security-opt systempaths=unconfined", field)
			}
		default:
			option := optionFields[field]
			for _, text := range values(value) {
				switch {
				case slices.Contains(defaultValues, field+" "+text):
				case option == "":
					t.note("%s %s", field, compact(value))
				default:
					t.add(option, text)
				}
			}
		}
	}
}

// values returns the value of a field as texts: each element of a list, name=value for
// each of an object, and nothing for an empty, zero or false one.
func values(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if text, ok := one.(string); ok {
				all = append(all, text)
			} else if compact(one) != "0" {
				all = append(all, compact(one))
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text, ok := v[name].(string)
			if !ok {
				text = compact(v[name])
			}
			all = append(all, name+"="+text)
		}
	case nil:
	default:
		if text := fmt.Sprint(v); text != "" && text != "0" && text != "false" {
			all = append(all, text)
		}
	}
	return all
}

func compact(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

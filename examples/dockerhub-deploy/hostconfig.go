package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A carrier adds what a field of HostConfig is set to to a creation.
type carrier func(c *creation, raw json.RawMessage) error

// hostFields are the fields of HostConfig (Docker Engine API v1.50) that the
// flags of "docker create" can set.
var hostFields = map[string]carrier{
	"CapAdd":            list("cap-add"),
	"CapDrop":           list("cap-drop"),
	"DeviceCgroupRules": list("device-cgroup-rule"),
	"Dns":               list("dns"),
	"DnsOptions":        list("dns-option"),
	"DnsSearch":         list("dns-search"),
	"ExtraHosts":        list("add-host"),
	"GroupAdd":          list("group-add"),
	"SecurityOpt":       list("security-opt"),

	"BlkioWeight":       value("blkio-weight"),
	"CgroupParent":      value("cgroup-parent"),
	"CgroupnsMode":      value("cgroupns"),
	"CpuPeriod":         value("cpu-period"),
	"CpuQuota":          value("cpu-quota"),
	"CpuShares":         value("cpu-shares"),
	"CpusetCpus":        value("cpuset-cpus"),
	"CpusetMems":        value("cpuset-mems"),
	"Init":              value("init"),
	"IpcMode":           value("ipc"),
	"Memory":            value("memory"),
	"MemoryReservation": value("memory-reservation"),
	"MemorySwap":        value("memory-swap"),
	"MemorySwappiness":  value("memory-swappiness"),
	"OomKillDisable":    value("oom-kill-disable"),
	"OomScoreAdj":       value("oom-score-adj"),
	"PidMode":           value("pid"),
	"PidsLimit":         value("pids-limit"),
	"Privileged":        value("privileged"),
	"PublishAllPorts":   value("publish-all"),
	"ReadonlyRootfs":    value("read-only"),
	"Runtime":           value("runtime"),
	"ShmSize":           value("shm-size"),
	"UTSMode":           value("uts"),
	"UsernsMode":        value("userns"),

	"StorageOpt": pairs("storage-opt", "="),
	"Sysctls":    pairs("sysctl", "="),
	"Tmpfs":      pairs("tmpfs", ":"),

	"NanoCpus":      cpus,
	"Devices":       devices,
	"LogConfig":     logConfig,
	"PortBindings":  portBindings,
	"RestartPolicy": restartPolicy,
	"Ulimits":       ulimits,
	"Mounts":        plainMounts,
	"AutoRemove": func(*creation, json.RawMessage) error {
		return errors.New("a container that is removed when it stops (--rm) cannot be brought back")
	},

	// In Mounts and NetworkSettings of the container, or the engine's own.
	"Binds": nothing, "NetworkMode": nothing, "VolumeDriver": nothing, "ContainerIDFile": nothing,
	"ConsoleSize": nothing, "Isolation": nothing, "MaskedPaths": nothing, "ReadonlyPaths": nothing,
}

func nothing(*creation, json.RawMessage) error { return nil }

// decoded makes a carrier of a func that takes the field's value.
func decoded[T any](carry func(c *creation, v T) error) carrier {
	return func(c *creation, raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		return carry(c, v)
	}
}

func list(flag string) carrier {
	return decoded(func(c *creation, values []string) error {
		for _, v := range values {
			c.flag(flag, v)
		}
		return nil
	})
}

// value takes texts, numbers and booleans.
func value(flag string) carrier {
	return func(c *creation, raw json.RawMessage) error {
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return err
			}
		}
		c.flag(flag, text)
		return nil
	}
}

func pairs(flag, separator string) carrier {
	return decoded(func(c *creation, values map[string]string) error {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			text := key
			if v := values[key]; v != "" {
				text += separator + v
			}
			c.flag(flag, text)
		}
		return nil
	})
}

var cpus = decoded(func(c *creation, billionths int64) error {
	c.flag("cpus", strconv.FormatFloat(float64(billionths)/1e9, 'f', -1, 64))
	return nil
})

var devices = decoded(func(c *creation, all []struct{ PathOnHost, PathInContainer, CgroupPermissions string }) error {
	for _, d := range all {
		c.flag("device", d.PathOnHost+":"+d.PathInContainer+":"+d.CgroupPermissions)
	}
	return nil
})

var logConfig = decoded(func(c *creation, l struct {
	Type   string
	Config map[string]string
}) error {
	if l.Type != "" {
		c.flag("log-driver", l.Type)
	}
	for _, key := range slices.Sorted(maps.Keys(l.Config)) {
		c.flag("log-opt", key+"="+l.Config[key])
	}
	return nil
})

// portBindings makes the two exclusive where a port of the host is given.
var portBindings = decoded(func(c *creation, all map[string][]struct{ HostIP, HostPort string }) error {
	for _, port := range slices.Sorted(maps.Keys(all)) {
		for _, b := range all[port] {
			host := b.HostIP
			switch {
			case host == "":
			case host[0] != '[' && slices.Contains([]byte(host), ':'):
				host = "[" + host + "]:"
			default:
				host += ":"
			}
			c.exclusive = c.exclusive || b.HostPort != "" && b.HostPort != "0"
			if b.HostPort != "" || host != "" {
				host += b.HostPort + ":"
			}
			c.flag("publish", host+port)
		}
	}
	return nil
})

var restartPolicy = decoded(func(c *creation, p struct {
	Name              string
	MaximumRetryCount int
}) error {
	if p.Name == "" {
		return nil
	}
	if p.MaximumRetryCount > 0 {
		p.Name += ":" + strconv.Itoa(p.MaximumRetryCount)
	}
	c.flag("restart", p.Name)
	return nil
})

var ulimits = decoded(func(c *creation, all []struct {
	Name       string
	Soft, Hard int64
}) error {
	for _, u := range all {
		c.flag("ulimit", fmt.Sprintf("%s=%d:%d", u.Name, u.Soft, u.Hard))
	}
	return nil
})

// plainMounts lets those pass that Mounts of the container tells in full.
var plainMounts = decoded(func(_ *creation, all []map[string]json.RawMessage) error {
	for _, m := range all {
		for field, raw := range m {
			switch field {
			case "Type", "Source", "Target", "ReadOnly", "Consistency":
			default:
				if !isZero(raw) {
					return fmt.Errorf("%s=%s cannot be carried over", field, raw)
				}
			}
		}
	}
	return nil
})

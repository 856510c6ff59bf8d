package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A fieldConverter adds the flags for a field of HostConfig to a createCommand.
type fieldConverter func(c *createCommand, raw json.RawMessage) error

// hostFields has a converter for each field of HostConfig (Docker Engine API
// v1.50) that the flags of "docker create" can set or that needs no flag.
var hostFields = map[string]fieldConverter{
	"CapAdd":            listFlag("cap-add"),
	"CapDrop":           listFlag("cap-drop"),
	"DeviceCgroupRules": listFlag("device-cgroup-rule"),
	"Dns":               listFlag("dns"),
	"DnsOptions":        listFlag("dns-option"),
	"DnsSearch":         listFlag("dns-search"),
	"ExtraHosts":        listFlag("add-host"),
	"GroupAdd":          listFlag("group-add"),
	"SecurityOpt":       listFlag("security-opt"),

	"BlkioWeight":       valueFlag("blkio-weight"),
	"CgroupParent":      valueFlag("cgroup-parent"),
	"CgroupnsMode":      valueFlag("cgroupns"),
	"CpuPeriod":         valueFlag("cpu-period"),
	"CpuQuota":          valueFlag("cpu-quota"),
	"CpuShares":         valueFlag("cpu-shares"),
	"CpusetCpus":        valueFlag("cpuset-cpus"),
	"CpusetMems":        valueFlag("cpuset-mems"),
	"Init":              valueFlag("init"),
	"IpcMode":           valueFlag("ipc"),
	"Memory":            valueFlag("memory"),
	"MemoryReservation": valueFlag("memory-reservation"),
	"MemorySwap":        valueFlag("memory-swap"),
	"MemorySwappiness":  valueFlag("memory-swappiness"),
	"OomKillDisable":    valueFlag("oom-kill-disable"),
	"OomScoreAdj":       valueFlag("oom-score-adj"),
	"PidMode":           valueFlag("pid"),
	"PidsLimit":         valueFlag("pids-limit"),
	"Privileged":        valueFlag("privileged"),
	"PublishAllPorts":   valueFlag("publish-all"),
	"ReadonlyRootfs":    valueFlag("read-only"),
	"Runtime":           valueFlag("runtime"),
	"ShmSize":           valueFlag("shm-size"),
	"UTSMode":           valueFlag("uts"),
	"UsernsMode":        valueFlag("userns"),

	"StorageOpt": pairsFlag("storage-opt", "="),
	"Sysctls":    pairsFlag("sysctl", "="),
	"Tmpfs":      pairsFlag("tmpfs", ":"),

	"NanoCpus":      cpus,
	"Devices":       devices,
	"LogConfig":     logConfig,
	"PortBindings":  portBindings,
	"RestartPolicy": restartPolicy,
	"Ulimits":       ulimits,
	"Mounts":        checkMounts,
	"AutoRemove": func(*createCommand, json.RawMessage) error {
		return errors.New("a container that is removed when it stops (--rm) cannot be restored")
	},

	// These are covered by Mounts and NetworkSettings of the container, or set by the
	// engine itself.
	"Binds": ignore, "NetworkMode": ignore, "VolumeDriver": ignore, "ContainerIDFile": ignore,
	"ConsoleSize": ignore, "Isolation": ignore, "MaskedPaths": ignore, "ReadonlyPaths": ignore,
}

func ignore(*createCommand, json.RawMessage) error { return nil }

// typedConverter returns a fieldConverter that decodes the field's value and calls
// convert.
func typedConverter[T any](convert func(c *createCommand, v T) error) fieldConverter {
	return func(c *createCommand, raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		return convert(c, v)
	}
}

func listFlag(flag string) fieldConverter {
	return typedConverter(func(c *createCommand, values []string) error {
		for _, v := range values {
			c.addFlag(flag, v)
		}
		return nil
	})
}

// valueFlag converts strings, numbers and booleans.
func valueFlag(flag string) fieldConverter {
	return func(c *createCommand, raw json.RawMessage) error {
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return err
			}
		}
		c.addFlag(flag, text)
		return nil
	}
}

func pairsFlag(flag, separator string) fieldConverter {
	return typedConverter(func(c *createCommand, values map[string]string) error {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			text := key
			if v := values[key]; v != "" {
				text += separator + v
			}
			c.addFlag(flag, text)
		}
		return nil
	})
}

var cpus = typedConverter(func(c *createCommand, billionths int64) error {
	c.addFlag("cpus", strconv.FormatFloat(float64(billionths)/1e9, 'f', -1, 64))
	return nil
})

var devices = typedConverter(func(c *createCommand, all []struct{ PathOnHost, PathInContainer, CgroupPermissions string }) error {
	for _, d := range all {
		c.addFlag("device", d.PathOnHost+":"+d.PathInContainer+":"+d.CgroupPermissions)
	}
	return nil
})

var logConfig = typedConverter(func(c *createCommand, l struct {
	Type   string
	Config map[string]string
}) error {
	if l.Type != "" {
		c.addFlag("log-driver", l.Type)
	}
	for _, key := range slices.Sorted(maps.Keys(l.Config)) {
		c.addFlag("log-opt", key+"="+l.Config[key])
	}
	return nil
})

// portBindings sets stopOldFirst if a port of the host is bound, because the two
// containers cannot share it.
var portBindings = typedConverter(func(c *createCommand, all map[string][]struct{ HostIP, HostPort string }) error {
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
			c.stopOldFirst = c.stopOldFirst || b.HostPort != "" && b.HostPort != "0"
			if b.HostPort != "" || host != "" {
				host += b.HostPort + ":"
			}
			c.addFlag("publish", host+port)
		}
	}
	return nil
})

var restartPolicy = typedConverter(func(c *createCommand, p struct {
	Name              string
	MaximumRetryCount int
}) error {
	if p.Name == "" {
		return nil
	}
	if p.MaximumRetryCount > 0 {
		p.Name += ":" + strconv.Itoa(p.MaximumRetryCount)
	}
	c.addFlag("restart", p.Name)
	return nil
})

var ulimits = typedConverter(func(c *createCommand, all []struct {
	Name       string
	Soft, Hard int64
}) error {
	for _, u := range all {
		c.addFlag("ulimit", fmt.Sprintf("%s=%d:%d", u.Name, u.Soft, u.Hard))
	}
	return nil
})

// checkMounts returns an error for mounts with settings that Mounts of the
// container does not contain.
var checkMounts = typedConverter(func(_ *createCommand, all []map[string]json.RawMessage) error {
	for _, m := range all {
		for field, raw := range m {
			switch field {
			case "Type", "Source", "Target", "ReadOnly", "Consistency":
			default:
				if !isZero(raw) {
					return fmt.Errorf("%s=%s cannot be copied", field, raw)
				}
			}
		}
	}
	return nil
})

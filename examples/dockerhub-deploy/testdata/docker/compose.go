package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type service struct {
	Image   string
	Network string            `yaml:"network_mode"`
	Scale   int               `yaml:"scale"`
	Labels  map[string]string `yaml:"labels"`
}

// compose does for one service what docker compose 2.40 does, with files of which the last
// may be standard input.
func (d *fakeDocker) compose(args []string) (string, error) {
	all := make(map[string]*service)
	for len(args) > 0 && strings.HasPrefix(args[0], "--file=") {
		if err := readServices(strings.TrimPrefix(args[0], "--file="), all); err != nil {
			return "", err
		}
		args = args[1:]
	}
	name := args[len(args)-1]
	switch {
	case args[0] == "version":
		return "Docker Compose version v2.40.3\n", nil
	case args[0] == "config" && name == "--services":
		return strings.Join(slices.Sorted(maps.Keys(all)), "\n") + "\n", nil
	case all[name] == nil:
		return "", fmt.Errorf("no such service: %s", name)
	case args[0] == "config":
		s := map[string]any{}
		if n := all[name].Scale; n > 0 {
			s["scale"] = n
		}
		text, err := json.Marshal(map[string]any{"services": map[string]any{name: s}})
		return string(text), err
	case args[0] == "ps":
		var ids strings.Builder
		for _, c := range d.state.Containers {
			if c.Config.Labels["com.docker.compose.service"] == name {
				fmt.Fprintln(&ids, c.ID)
			}
		}
		return ids.String(), nil
	case args[0] == "rm":
		for n := 1; ; n++ {
			if d.remove(fmt.Sprintf("shop-%s-%d", name, n)) != nil {
				return "", nil
			}
		}
	case args[0] == "up":
		return "", d.up(name, all[name], args)
	}
	return "", errors.New("unknown docker command: compose " + args[0])
}

// up makes the containers of a service anew whose image has changed, and removes those
// beyond the scale.
func (d *fakeDocker) up(name string, s *service, args []string) error {
	scale := max(1, s.Scale)
	for _, arg := range args {
		if n, ok := strings.CutPrefix(arg, "--scale="+name+"="); ok {
			scale, _ = strconv.Atoi(n)
		}
	}
	for n := 1; ; n++ {
		full := fmt.Sprintf("shop-%s-%d", name, n)
		c, err := d.state.find(full)
		if n > scale {
			if err != nil {
				return nil
			}
			if err := d.remove(full); err != nil {
				return err
			}
			continue
		}
		if err == nil && c.Config.Image == s.Image && !slices.Contains(args, "--force-recreate") {
			if err := d.start(full); err != nil {
				return err
			}
			continue
		}
		create := []string{"--name=" + full + "-new", "--label=com.docker.compose.project=shop", "--label=com.docker.compose.service=" + name,
			"--label=com.docker.compose.oneoff=False"}
		for label, value := range s.Labels {
			create = append(create, "--label="+label+"="+value)
		}
		if other, ok := strings.CutPrefix(s.Network, "service:"); ok {
			create = append(create, "--network=container:shop-"+other+"-1")
		}
		if _, err := d.create(append(create, s.Image)); err != nil {
			return err
		}
		if err == nil {
			_ = d.remove(full)
		}
		d.inject("during", append([]string{"compose"}, args...))
		if err := d.rename(full+"-new", full); err != nil {
			return err
		}
		d.save() // the container remains even if it does not start
		if err := d.start(full); err != nil {
			return err
		}
	}
}

// readServices reads a file, which extends earlier ones.
func readServices(file string, all map[string]*service) error {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return err
	}
	var doc struct{ Services map[string]yaml.Node }
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return err
	}
	for name, node := range doc.Services {
		if all[name] == nil {
			all[name] = new(service)
		}
		if err := node.Decode(all[name]); err != nil {
			return err
		}
	}
	return nil
}

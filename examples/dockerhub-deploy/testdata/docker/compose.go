package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

type service struct {
	Image       string
	Ports       []string
	Environment map[string]string
}

// compose knows pull, up and ps for one service, and two --file, the second of
// which may be standard input.
func (d *standin) compose(args []string) (string, error) {
	var files []string
	for len(args) > 0 && strings.HasPrefix(args[0], "--file=") {
		files = append(files, strings.TrimPrefix(args[0], "--file="))
		args = args[1:]
	}
	if len(files) == 0 || len(args) < 2 {
		return "", errors.New("no configuration file provided: not found")
	}
	verb, name := args[0], args[len(args)-1]
	s, err := merged(files, name)
	if err != nil {
		return "", err
	}
	project := filepath.Base(filepath.Dir(files[0]))
	full := project + "-" + name + "-1"
	c, _ := d.state.find(full)
	switch verb {
	case "ps":
		if c == nil {
			return "", nil
		}
		return c.ID + "\n", nil
	case "pull":
		_, err := d.pull(s.Image)
		return "", err
	case "up":
		return "", d.up(c, full, s, args)
	}
	return "", fmt.Errorf("unknown docker command: \"compose %s\"", verb)
}

// up recreates the container where its configuration has changed.
func (d *standin) up(c *container, full string, s service, args []string) error {
	const hash = "com.docker.compose.config-hash"
	if c != nil && c.Config.Labels[hash] == s.Image {
		return d.start(full)
	}
	if d.state.image(s.Image) == nil {
		if slices.Contains(args, "--pull=never") {
			return fmt.Errorf("no such image: %s", s.Image)
		}
		if _, err := d.pull(s.Image); err != nil {
			return err
		}
	}
	if c != nil {
		if err := d.remove(full, true); err != nil {
			return err
		}
	}
	d.strike("during", append([]string{"compose"}, args...))
	create := []string{"--name=" + full, "--label=" + hash + "=" + s.Image}
	for _, p := range s.Ports {
		create = append(create, "--publish="+p)
	}
	for k, v := range s.Environment {
		create = append(create, "--env="+k+"="+v)
	}
	if _, err := d.create(append(create, s.Image)); err != nil {
		return err
	}
	d.save() // what is created stays, also when it does not start
	return d.start(full)
}

// merged reads the service from the files, of which the later ones win.
func merged(files []string, name string) (service, error) {
	var s service
	for _, file := range files {
		if file == "-" {
			file = "/dev/stdin"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return s, err
		}
		var doc struct{ Services map[string]yaml.Node }
		if err := yaml.Unmarshal(text, &doc); err != nil && !errors.Is(err, io.EOF) {
			return s, err
		}
		if node, ok := doc.Services[name]; ok {
			if err := node.Decode(&s); err != nil {
				return s, err
			}
		}
	}
	if s.Image == "" {
		return s, fmt.Errorf("no such service: %s", name)
	}
	return s, nil
}

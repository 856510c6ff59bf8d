package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

type service struct {
	Image       string
	Ports       []string
	Scale       int
	Environment map[string]string
}

// services reads the files. Later files extend earlier ones.
func (p *project) services() (map[string]*service, error) {
	if err := p.readEnv(); err != nil {
		return nil, err
	}
	all := make(map[string]*service)
	for _, file := range p.files {
		if file == "-" {
			file = "/dev/stdin"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var doc struct{ Services map[string]yaml.Node }
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
		for name, node := range doc.Services {
			if err := p.interpolate(&node); err != nil {
				return nil, err
			}
			if all[name] == nil {
				all[name] = new(service)
			}
			if err := node.Decode(all[name]); err != nil {
				return nil, err
			}
		}
	}
	for name, s := range all {
		if s.Image == "" {
			return nil, fmt.Errorf("service %q has neither an image nor a build context specified: invalid compose project", name)
		}
	}
	return all, nil
}

// readEnv reads the file .env of the project, if it exists.
func (p *project) readEnv() error {
	p.env = make(map[string]string)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(p.files[0]), ".env"))
	if os.IsNotExist(err) {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			p.env[name] = value
		}
	}
	return err
}

// reference matches $$, $NAME, ${NAME}, ${NAME:-default} and ${NAME:?error}.
var reference = regexp.MustCompile(`\$(?:\$|(\w+)|\{(\w+)(?:(:[-?])([^}]*))?\})`)

// interpolate replaces the variables in all scalars under a node. A variable that
// is not set becomes blank, with a warning.
func (p *project) interpolate(node *yaml.Node) error {
	for _, child := range node.Content {
		if err := p.interpolate(child); err != nil {
			return err
		}
	}
	if node.Kind != yaml.ScalarNode {
		return nil
	}
	var failure error
	node.Value = reference.ReplaceAllStringFunc(node.Value, func(text string) string {
		if text == "$$" {
			return "$"
		}
		part := reference.FindStringSubmatch(text)
		name, operator, word := part[1]+part[2], part[3], part[4]
		value, set := os.LookupEnv(name)
		if !set {
			value, set = p.env[name]
		}
		switch {
		case value == "" && operator == ":-":
			return word
		case value == "" && operator == ":?":
			failure = fmt.Errorf("required variable %s is missing a value: %s", name, word)
		case !set:
			fmt.Fprintf(os.Stderr, "level=warning msg=\"The \\\"%s\\\" variable is not set. Defaulting to a blank string.\"\n", name)
		}
		return value
	})
	return failure
}

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"
)

// Defaults and limits of a rule.
const (
	defaultTimeout = 30 * time.Minute
	defaultContext = "github-ci"
	maxTimeout     = 24 * time.Hour
)

// ruleText is a rule as written in the file.
type ruleText struct {
	Name     string   `yaml:"name"`
	Remote   string   `yaml:"remote"`
	Branches []string `yaml:"branches"`
	Tags     []string `yaml:"tags"`
	Command  string   `yaml:"command"`
	Timeout  string   `yaml:"timeout"`
	Context  string   `yaml:"context"`
}

var ruleFields = []string{"name", "remote", "branches", "tags", "command", "timeout", "context"}

// readConfig reads the file of -config. Its error lists all invalid rules, each
// with its line.
func readConfig(name string) (rules, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	all, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

func parseConfig(text []byte) (rules, error) {
	var file struct {
		Repositories []yaml.Node `yaml:"repositories"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document")
	}
	if len(file.Repositories) == 0 {
		return nil, errors.New("no repositories are configured")
	}
	all := make(rules)
	var errs []error
	for _, node := range file.Repositories {
		r, err := parseRule(&node)
		if err == nil && all.lookup(r.Name) != nil {
			err = fmt.Errorf("repository %q is configured twice", r.Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", node.Line, err))
			continue
		}
		all[strings.ToLower(r.Name)] = r
	}
	return all, errors.Join(errs...)
}

func parseRule(node *yaml.Node) (*rule, error) {
	if node.Kind != yaml.MappingNode {
		return nil, errors.New("a repository must be a mapping with the fields name, branches, tags and command")
	}
	for i := 0; i < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(ruleFields, key.Value) {
			return nil, fmt.Errorf("line %d: unknown field %q", key.Line, key.Value)
		}
	}
	var text ruleText
	if err := node.Decode(&text); err != nil {
		return nil, err
	}
	if err := checkRepository(text.Name); err != nil {
		return nil, fmt.Errorf("name: %w", err)
	}
	r, err := text.rule()
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", text.Name, err)
	}
	return r, nil
}

// rule applies the defaults and validates the result.
func (t ruleText) rule() (*rule, error) {
	r := &rule{
		Name:     t.Name,
		Remote:   cmp.Or(t.Remote, "https://github.com/"+t.Name+".git"),
		Branches: t.Branches,
		Tags:     t.Tags,
		Command:  t.Command,
		Timeout:  defaultTimeout,
		Context:  cmp.Or(t.Context, defaultContext),
	}
	remote, err := url.Parse(r.Remote)
	switch {
	case err != nil || remote.Host == "" || remote.Scheme != "https" && remote.Scheme != "http":
		return nil, fmt.Errorf("remote: %q is not an http or https URL", r.Remote)
	case remote.User != nil:
		return nil, errors.New("remote: must not contain a user; set the token with GITHUB_TOKEN")
	case len(r.Branches)+len(r.Tags) == 0:
		return nil, errors.New("branches and tags are both empty, so nothing would be built")
	case strings.TrimSpace(r.Command) == "":
		return nil, errors.New("command: missing")
	case strings.ContainsRune(r.Command, 0):
		return nil, errors.New("command: contains a NUL byte")
	case len(r.Context) > 100:
		return nil, errors.New("context: longer than 100 bytes")
	}
	for _, glob := range slices.Concat(r.Branches, r.Tags) {
		if glob == "" || !doublestar.ValidatePattern(glob) {
			return nil, fmt.Errorf("%q is not a valid glob", glob)
		}
	}
	if t.Timeout != "" {
		if r.Timeout, err = time.ParseDuration(t.Timeout); err != nil || r.Timeout <= 0 || r.Timeout > maxTimeout {
			return nil, fmt.Errorf("timeout: %q is not a duration above 0 and up to 24h, such as 20m", t.Timeout)
		}
	}
	return r, nil
}

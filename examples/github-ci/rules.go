package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/hookhouse/hookhouse/examples/github-ci/builds"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
)

// Defaults and limits of a rule.
const (
	defaultTimeout = 30 * time.Minute
	defaultContext = "github-ci"
	maxTimeout     = 24 * time.Hour
)

// A rule configures the builds of one repository.
type rule struct {
	Name     string        `yaml:"name"`     // "owner/name", as GitHub writes it
	Remote   string        `yaml:"remote"`   // http or https URL to fetch from
	Branches []string      `yaml:"branches"` // globs; ** also matches slashes
	Tags     []string      `yaml:"tags"`     // globs
	Command  string        `yaml:"command"`  // a script for /bin/sh -e
	Secrets  []string      `yaml:"secrets"`  // names of -secret that the command gets
	Timeout  time.Duration `yaml:"timeout"`
	Context  string        `yaml:"context"` // name of the commit status; see contextOf
}

var ruleFields = []string{"name", "remote", "branches", "tags", "command", "secrets", "timeout", "context"}

// rules holds the configured rules by the repository's name in lower case.
// GitHub's names are not case-sensitive.
type rules map[string]*rule

// readConfig reads the file of -config. Its error lists all invalid rules, each
// with its line. Remotes are on server by default.
func readConfig(name string, server *url.URL, secrets map[string]webhook.Secret) (rules, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	all, err := parseConfig(text, server, secrets)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

func parseConfig(text []byte, server *url.URL, secrets map[string]webhook.Secret) (rules, error) {
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
		r, err := parseRule(&node, server, secrets)
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

func parseRule(node *yaml.Node, server *url.URL, secrets map[string]webhook.Secret) (*rule, error) {
	if node.Kind != yaml.MappingNode {
		return nil, errors.New("a repository must be a mapping with the fields name, branches, tags and command")
	}
	for i := 0; i < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(ruleFields, key.Value) {
			return nil, fmt.Errorf("line %d: unknown field %q", key.Line, key.Value)
		}
	}
	r := &rule{Timeout: defaultTimeout}
	if err := node.Decode(r); err != nil {
		return nil, err
	}
	if err := checkRepository(r.Name); err != nil {
		return nil, fmt.Errorf("name: %w", err)
	}
	r.Remote = cmp.Or(r.Remote, server.JoinPath(r.Name+".git").String())
	r.Context = cmp.Or(r.Context, defaultContext)
	if err := r.check(secrets); err != nil {
		return nil, fmt.Errorf("repository %q: %w", r.Name, err)
	}
	return r, nil
}

func (r *rule) check(secrets map[string]webhook.Secret) error {
	if _, err := httpURL(r.Remote); err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	switch {
	case len(r.Branches)+len(r.Tags) == 0:
		return errors.New("branches and tags are both empty, so nothing would be built")
	case strings.TrimSpace(r.Command) == "":
		return errors.New("command: missing")
	case strings.ContainsRune(r.Command, 0):
		return errors.New("command: contains a NUL byte")
	case len(r.Context) > 100:
		return errors.New("context: longer than 100 bytes")
	case r.Timeout <= 0 || r.Timeout > maxTimeout:
		return fmt.Errorf("timeout: %s is not above 0 and up to 24h", r.Timeout)
	}
	for _, glob := range slices.Concat(r.Branches, r.Tags) {
		if glob == "" || !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("%q is not a valid glob", glob)
		}
	}
	for _, name := range r.Secrets {
		if _, ok := secrets[name]; !ok {
			return fmt.Errorf("secrets: there is no -secret %s", name)
		}
	}
	return nil
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9_.-]{1,100}$`)

// checkRepository returns an error unless name has the form "owner/name" with
// the characters that GitHub allows.
func checkRepository(name string) error {
	_, last, _ := strings.Cut(name, "/")
	if !repositoryName.MatchString(name) || last == "." || last == ".." {
		return fmt.Errorf(`%q is not a repository such as "acme/app"`, name)
	}
	return nil
}

// lookup returns the rule for a repository, or nil if there is none. A name from a
// payload is used only for this lookup: builds, work areas and statuses use the
// name in the configuration.
func (r rules) lookup(repository string) *rule { return r[strings.ToLower(repository)] }

// build reports whether the repository and the ref of a build are still configured.
func (r rules) build(b builds.Build) bool {
	rule := r.lookup(b.Repository)
	return rule != nil && rule.matches(github.Push{Ref: b.Ref})
}

// maxTimeout returns the longest timeout of the rules.
func (r rules) maxTimeout() time.Duration {
	var longest time.Duration
	for _, one := range r {
		longest = max(longest, one.Timeout)
	}
	return longest
}

// matches reports whether the pushed ref is to be built.
func (r *rule) matches(p github.Push) bool {
	if branch, ok := p.Branch(); ok {
		return matchesAny(r.Branches, branch)
	}
	tag, ok := p.Tag()
	return ok && matchesAny(r.Tags, tag)
}

// contextOf returns the name of the commit status for a push. GitHub keeps one
// status per name and commit, and a branch and a tag may point to the same
// commit, so a tag has a name of its own.
func (r *rule) contextOf(p github.Push) string {
	if _, ok := p.Tag(); ok {
		return r.Context + "/tag"
	}
	return r.Context
}

func matchesAny(globs []string, name string) bool {
	for _, glob := range globs {
		if ok, err := doublestar.Match(glob, name); ok && err == nil {
			return true
		}
	}
	return false
}

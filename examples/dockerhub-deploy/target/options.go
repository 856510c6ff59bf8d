package target

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// An options is a file with the options of "docker run" for one container, and after a
// line "--" the arguments of its command.
type options struct {
	name     string   // of the container
	dir      string   // of the file; other files that it names are relative to it
	flags    []string // all but --name and the variables in env
	env      string   // lines for --env-file, so that the values do not appear in the process list
	command  []string
	platform string   // of --platform, for the pull
	joins    []string // those of refers whose namespaces it uses
	refers   []string // names of the containers whose network, volumes and so on it uses
	hash     string   // of the file, and of the files of variables and labels that it names
}

// maxOptions is the largest size in bytes of a file of options.
const maxOptions = 1 << 20

// optionLine matches the first line of an option in "docker create --help": a letter, the
// name, and the type of its value. An option without a value has none.
var optionLine = regexp.MustCompile(`(?m)^\s+(?:-(\w), )?\s*--([a-z0-9-]+)(?: (\S+))?(?:\s{2,}|$)`)

// A knownOption is an option of the installed docker.
type knownOption struct {
	name     string
	hasValue bool
}

// A knownOptions has the options by name, and by letter: "--publish" and "-p".
type knownOptions map[string]knownOption

func readKnownOptions(ctx context.Context, docker Command) (knownOptions, error) {
	help, _, err := docker.Run(ctx, "", "create", "--help")
	if err != nil {
		return nil, err
	}
	known := make(knownOptions)
	for _, m := range optionLine.FindAllStringSubmatch(help, -1) {
		known["--"+m[2]] = knownOption{m[2], m[3] != ""}
		if m[1] != "" {
			known["-"+m[1]] = known["--"+m[2]]
		}
	}
	if len(known) < 20 {
		return nil, errors.New("docker create --help lists no options")
	}
	return known, nil
}

// readOptions reads a file of options. Its errors name the file and the line.
func readOptions(file string, known knownOptions) (*options, error) {
	text, err := readBounded(file)
	if err != nil {
		return nil, err
	}
	o := &options{dir: filepath.Dir(file)}
	sum := sha256.New()
	_, _ = sum.Write(text)
	command := false
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case command:
			o.command = append(o.command, line)
		case line == "--":
			command = true
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		default:
			if err := o.add(line, known, sum); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
			}
		}
	}
	if o.name == "" {
		return nil, fmt.Errorf("%s: --name is missing", file)
	}
	o.hash = fmt.Sprintf("%x", sum.Sum(nil))[:16]
	return o, nil
}

// owned are the options that this package sets. The others are no options of
// "docker create", or of a container that is deployed.
var owned = []string{"cidfile", "help", "pull", "quiet", "rm"}

// add adds the option of a line. If the option names a file of variables or labels, the
// content is written to sum.
func (o *options) add(line string, known knownOptions, sum io.Writer) error {
	name, value, has := strings.TrimSpace(line), "", false
	if i := strings.IndexAny(name, " ="); i >= 0 {
		name, value, has = name[:i], name[i+1:], true
	}
	option, ok := known[name]
	switch {
	case slices.Contains(owned, option.name), option.name == "label" && strings.HasPrefix(value, "hookhouse."):
		return fmt.Errorf("%s cannot be set here: this program sets it, or a deployed container cannot have it", name)
	case !ok:
		return fmt.Errorf("%q is not an option of docker create", name)
	case option.hasValue && !has:
		return fmt.Errorf("%s has no value", name)
	case !option.hasValue && has && value != "true" && value != "false":
		return fmt.Errorf("%s is true or false, not %q", name, value)
	case option.name == "name" && o.name != "":
		return errors.New("--name appears twice")
	case option.name == "name" && !containerName.MatchString(value):
		return fmt.Errorf("--name %q is not a name that docker accepts", value)
	}
	switch option.name {
	case "name":
		o.name = value
		return nil
	case "env":
		if strings.Contains(value, "=") && !strings.HasPrefix(value, "#") {
			o.env += value + "\n"
			return nil
		}
	case "env-file", "label-file":
		if !filepath.IsAbs(value) {
			value = filepath.Join(o.dir, value)
		}
		text, err := readBounded(value)
		if err != nil {
			return err
		}
		_, _ = sum.Write(text)
	case "platform":
		o.platform = value
	case "network", "ipc", "pid":
		if other, ok := strings.CutPrefix(value, "container:"); ok {
			o.refers, o.joins = append(o.refers, other), append(o.joins, other)
		}
	case "volumes-from", "link":
		other, _, _ := strings.Cut(value, ":")
		o.refers = append(o.refers, other)
	}
	if !has {
		value = "true"
	}
	o.flags = append(o.flags, "--"+option.name+"="+value)
	return nil
}

// containerName matches the names that Docker accepts. None looks like an option.
var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxOptions+1))
	if len(text) > maxOptions {
		err = fmt.Errorf("%s has more than %d bytes", file, maxOptions)
	}
	return text, err
}

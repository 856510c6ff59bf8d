// Docker is a fake of the docker program for the tests of dockerhub-deploy. It
// implements the commands that are used there, with the flags of the real program,
// and keeps containers and images in a file. It pulls images from a real registry.
// The label fake.health of an image determines how its containers behave: healthy,
// unhealthy, exits, starting (the health check never ends), or late (the health
// check passes only after many inspections).
//
// The folder in DOCKER_FAKE_DIR contains
//
//	state.json   containers and images
//	calls        one line for each command
//	faults.json  faults to inject: see fault
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	dir := os.Getenv("DOCKER_FAKE_DIR")
	if dir == "" {
		fail(errors.New("DOCKER_FAKE_DIR is not set"))
	}
	args := os.Args[1:]
	d := &fakeDocker{dir: dir}
	d.lock()
	d.record(args)
	d.inject("before", args)
	out, err := d.command(args)
	if err == nil {
		d.save()
	}
	fmt.Print(out)
	if err != nil {
		fail(err)
	}
	d.inject("after", args)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "Error response from daemon:", err)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		fail(err)
	}
}

// A fakeDocker is one run of the program.
type fakeDocker struct {
	dir   string
	state state
	file  *os.File
}

// lock serializes commands, as the engine's locks do, and reads the state.
func (d *fakeDocker) lock() {
	var err error
	d.file, err = os.OpenFile(filepath.Join(d.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	must(err)
	must(syscall.Flock(int(d.file.Fd()), syscall.LOCK_EX))
	text, err := os.ReadFile(filepath.Join(d.dir, "state.json"))
	if err == nil {
		must(json.Unmarshal(text, &d.state))
	}
}

func (d *fakeDocker) save() {
	text, err := json.MarshalIndent(d.state, "", "  ")
	must(err)
	name := filepath.Join(d.dir, "state.json")
	must(os.WriteFile(name+".new", text, 0o600))
	must(os.Rename(name+".new", name))
}

func (d *fakeDocker) record(args []string) {
	f, err := os.OpenFile(filepath.Join(d.dir, "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(err)
	_, err = fmt.Fprintln(f, strings.Join(args, " "))
	must(err)
	must(f.Close())
}

// A fault is injected once, into a command whose line contains Command.
type fault struct {
	Command string
	When    string // before, after, during (a compose up)
	Do      string // kill: kill the caller with SIGKILL; hold: wait until the file "go" exists; pass: do nothing; any other text: fail with it
}

func (d *fakeDocker) inject(when string, args []string) {
	name := filepath.Join(d.dir, "faults.json")
	text, err := os.ReadFile(name)
	if err != nil {
		return
	}
	var all, left []fault
	must(json.Unmarshal(text, &all))
	var hit *fault
	for _, f := range all {
		if hit == nil && f.When == when && strings.Contains(strings.Join(args, " "), f.Command) {
			hit = &f
			continue
		}
		left = append(left, f)
	}
	if hit == nil {
		return
	}
	text, err = json.Marshal(left)
	must(err)
	must(os.WriteFile(name, text, 0o600))
	switch hit.Do {
	case "pass": // consume the fault
	case "kill":
		if when == "during" {
			d.save()
		}
		must(syscall.Kill(os.Getppid(), syscall.SIGKILL))
		os.Exit(137)
	case "hold":
		must(os.WriteFile(filepath.Join(d.dir, "held"), nil, 0o600))
		for {
			if _, err := os.Stat(filepath.Join(d.dir, "go")); err == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	default:
		fail(errors.New(hit.Do))
	}
}

// command runs one command and returns what it prints.
func (d *fakeDocker) command(args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("no command")
	}
	verb, rest := args[0], args[1:]
	if (verb == "container" || verb == "image") && len(rest) > 0 {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	last := args[len(args)-1]
	switch verb {
	case "container ls":
		var ids strings.Builder
		for _, c := range d.state.Containers {
			fmt.Fprintln(&ids, c.ID)
		}
		return ids.String(), nil
	case "container inspect":
		list := []any{}
		var missing error
		for _, name := range rest {
			c, err := d.state.find(name)
			if err != nil {
				missing = err // the others are printed, as by the real program
				continue
			}
			c.advance()
			list = append(list, c)
		}
		text, err := indentJSON(list)
		return text, errors.Join(err, missing)
	case "image inspect":
		img := d.state.image(last)
		if img == nil {
			return "[]\n", fmt.Errorf("No such image: %s", last) //nolint:staticcheck // the engine's words
		}
		return indentJSON([]any{img})
	case "pull":
		return d.pull(last)
	case "create":
		if last == "--help" {
			return help, nil
		}
		return d.create(rest)
	case "start":
		return last + "\n", d.start(last)
	case "stop":
		c, err := d.state.find(last)
		if err == nil && c.State.Running {
			c.State = containerState{ExitCode: 143}
			if c.HostConfig.AutoRemove {
				err = d.remove(last)
			}
		}
		return last + "\n", err
	case "restart":
		c, err := d.state.find(last)
		if err == nil {
			c.State.Running = false
			err = d.start(last)
		}
		return last + "\n", err
	case "logs":
		return "the last words\n", nil
	case "rename":
		return "", d.rename(rest[0], rest[1])
	case "rm":
		return last + "\n", d.remove(last)
	case "compose":
		return d.compose(rest)
	}
	return "", fmt.Errorf("unknown command %q", verb)
}

func indentJSON(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "    ")
	return string(text) + "\n", err
}

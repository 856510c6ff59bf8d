package target

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
)

// A Container is a container that a file of options declares. To replace web, it uses two
// more names:
//
//	web-next      the new container, until the old one is stopped
//	web-previous  the old container, until the new one is healthy
//
// The existing names show how far a deployment got, and the label hookhouse.replaces which
// containers belong to it. A deployment starts also a container that somebody has stopped:
// what is declared runs.
type Container struct {
	*Engine
	file, name string

	mu    sync.Mutex // held while the container is replaced
	moved string     // id of the old container while this process replaces it
}

const (
	nextSuffix     = "-next"
	previousSuffix = "-previous"
)

func baseName(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, nextSuffix), previousSuffix)
}

// NewContainer returns the container that a file declares. The file is read again for each
// deployment.
func NewContainer(e *Engine, file string) (*Container, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	t := &Container{Engine: e, file: file}
	o, err := t.options()
	if err != nil {
		return nil, err
	}
	t.name = o.name
	if e.declared[t.name] != nil {
		return nil, fmt.Errorf("%s declares the container %s, as %s does", file, t.name, e.declared[t.name].file)
	}
	for name, other := range e.declared {
		if name != t.name && (baseName(name) == t.name || baseName(t.name) == name) {
			return nil, fmt.Errorf("%s declares the container %s, and %s the container %s: a deployment needs both names for one container", file, t.name, other.file, name)
		}
	}
	e.declared[t.name] = t
	return t, nil
}

// Name returns the name of the container.
func (t *Container) Name() string { return t.name }

// Check returns an error if the container cannot be replaced now.
func (t *Container) Check(ctx context.Context) error {
	all, err := t.containers(ctx)
	if err != nil || !all[t.name].exists() {
		return err
	}
	return t.declared.check(all, all[t.name])
}

// own returns by name the containers that have one of the names of this one.
func (t *Container) own(ctx context.Context) (map[string]inspected, error) {
	return t.existing(ctx, t.name, t.name+nextSuffix, t.name+previousSuffix)
}

func (t *Container) options() (*options, error) {
	known, err := t.known()
	if err != nil {
		return nil, err
	}
	o, err := readOptions(t.file, known)
	if err == nil && t.name != "" && o.name != t.name {
		err = fmt.Errorf("%s: --name was %s at the start of this program: start it again", t.file, t.name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return o, nil
}

// refers returns the names of the containers that this one refers to.
func (t *Container) refers() []string {
	o, err := t.options()
	if err != nil {
		return nil
	}
	return o.refers
}

// Identity returns the digest and the hash of the options.
func (t *Container) Identity(digest string) (string, error) {
	o, err := t.options()
	if err != nil {
		return "", err
	}
	return digest + "+" + o.hash, nil
}

// Replace creates the new container beside the old one, and stops the old one before it
// starts the new one.
func (t *Container) Replace(ctx context.Context, image Image) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := t.options()
	if err != nil {
		return false, err
	}
	all, err := t.containers(ctx)
	if err != nil {
		return false, err
	}
	old := all[t.name]
	switch {
	case old.label(digestLabel) == image.Digest && old.label(optionsLabel) == o.hash && !old.State.Restarting:
		if old.State.Running && image.Deployed == image.Identity {
			return false, nil
		}
		return true, t.startAgain(ctx, all, old) // a deployment was interrupted, or somebody has stopped it
	case old.exists() && image.Older(old.label(tagLabel)):
		return false, fmt.Errorf("%w: %s runs %s", ErrNewerRunning, t.name, old.label(tagLabel))
	case all[t.name+previousSuffix].exists():
		return false, fmt.Errorf("%w: the container %s was not renamed by this program: rename it", ErrRefused, t.name+previousSuffix)
	case old.exists():
		if err := t.declared.check(all, old); err != nil {
			return false, err
		}
		if old.label(ruleLabel) == "" {
			t.Log.Warn("a container that this program has not created is replaced by the declared one", "container", t.name, "options", t.file)
		}
	}
	if err := o.checkBases(all, t.name); err != nil {
		return false, err
	}
	t.Log.Info("deploying", "container", t.name, "image", image.Name)
	if err := t.pull(ctx, image.Name, o.platform); err != nil {
		return false, err
	}
	if err := t.create(ctx, o, image.Name, image.Rule, image.Digest, image.Tag, old.ID); err != nil {
		return false, err
	}
	t.moved = old.ID
	if err := t.do(ctx, t.swap(old.exists())...); err != nil {
		return false, err
	}
	err = t.start(ctx, nil)
	switch {
	case err == nil:
		return true, t.finish(ctx)
	case !old.exists() && ctx.Err() == nil: // there is nothing to return to
		return false, errors.Join(err, t.do(ctx, []string{"rm", "--force", t.name}))
	default:
		return false, err
	}
}

// create creates the new container. The engine refuses what it cannot create before
// anything is touched.
func (t *Container) create(ctx context.Context, o *options, image, rule, digest, tag, replaces string) error {
	args := append([]string{"create", "--name=" + t.name + nextSuffix, "--pull=never"}, o.flags...)
	if o.env != "" {
		args = append(args, "--env-file=/dev/stdin")
	}
	for _, label := range [][2]string{{ruleLabel, rule}, {digestLabel, digest}, {tagLabel, tag}, {optionsLabel, o.hash}, {replacesLabel, replaces}} {
		args = append(args, "--label="+label[0]+"="+label[1])
	}
	docker := t.Docker
	docker.Dir = o.dir
	_, _, err := docker.Run(ctx, o.env, append(append(args, image), o.command...)...)
	return err
}

// swap returns the commands that give the new container the name of the old one.
func (t *Container) swap(old bool) [][]string {
	steps := [][]string{{"rename", t.name + nextSuffix, t.name}}
	if old {
		steps = append([][]string{{"stop", t.name}, {"rename", t.name, t.name + previousSuffix}}, steps...)
	}
	return steps
}

// start starts the container and waits until it is healthy. Before has the restarts that do
// not count, as waitHealthy takes them.
func (t *Container) start(ctx context.Context, before map[string]int) error {
	if err := t.do(ctx, []string{"start", t.name}); err != nil {
		return fmt.Errorf("%w: %w", ErrStart, err)
	}
	return t.waitHealthy(ctx, before, t.name)
}

// startAgain starts the container that is declared, if it does not run, and what uses its
// namespaces.
func (t *Container) startAgain(ctx context.Context, all map[string]inspected, c inspected) error {
	err := t.start(ctx, restarts(c))
	if err == nil && !c.State.Running {
		err = t.declared.restart(ctx, t.Engine, all, c)
	}
	return err
}

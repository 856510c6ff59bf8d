package target

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// refs returns the names or ids of the containers that a container uses, and what of
// them. The engine stores the name or the id that the option had, or the id of a name.
func (c inspected) refs() map[string]string {
	all := make(map[string]string)
	for what, mode := range map[string]string{"network": c.HostConfig.NetworkMode, "ipc": c.HostConfig.IpcMode, "pid": c.HostConfig.PidMode} {
		if ref, ok := strings.CutPrefix(mode, "container:"); ok {
			all[ref] = what
		}
	}
	for what, texts := range map[string][]string{"volumes": c.HostConfig.VolumesFrom, "link": c.HostConfig.Links} {
		for _, text := range texts {
			ref, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), ":")
			all[ref] = what
		}
	}
	return all
}

// find returns the container that a name, an id or the beginning of an id means. The engine
// looks for them in this order, and keeps --volumes-from as it was written.
func find(all map[string]inspected, ref string) inspected {
	if c := all[ref]; c.exists() || ref == "" {
		return c
	}
	for _, c := range all {
		if strings.HasPrefix(c.ID, ref) {
			return c
		}
	}
	return inspected{}
}

// A declared has the containers that files of options declare, by name. Each can be made
// anew.
type declared map[string]*Container

// check returns ErrRefused if a container, running or not, refers to the given one and
// nothing makes it anew afterwards. The same holds for what refers to that one.
func (d declared) check(all map[string]inspected, old inspected) error {
	if old.HostConfig.AutoRemove {
		return fmt.Errorf("%w: the container %s was made with --rm, so stopping it removes it, and nothing could be restored: remove it", ErrRefused, old.Name)
	}
	known := maps.Clone(all) // may lack the given one
	known[old.Name] = old
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		if c.ID == old.ID {
			continue
		}
		for ref, what := range c.refs() {
			if find(known, ref).ID != old.ID {
				continue
			}
			t := d[name]
			if t == nil {
				t = d[baseName(name)]
			}
			if t == nil || !slices.Contains(t.refers(), old.Name) {
				return fmt.Errorf("%w: the container %s uses the %s of %s, which would be lost, and no rule makes %s anew: declare it by a rule of the kind run, or remove it",
					ErrRefused, name, what, old.Name, name)
			}
			rest := maps.Clone(all)
			delete(rest, name) // ends the search if two containers refer to each other
			if err := d.check(rest, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// remake makes the declared containers anew that refer to the container of a name and
// were created before it, and then what refers to those. It may be interrupted and called
// again.
func (d declared) remake(ctx context.Context, e *Engine, name string) error {
	rest := maps.Clone(d)
	delete(rest, name)
	for _, other := range slices.Sorted(maps.Keys(rest)) {
		if !slices.Contains(d[other].refers(), name) {
			continue
		}
		all, err := e.containers(ctx)
		if err == nil && all[name].exists() {
			err = d[other].remake(ctx, all[name])
		}
		if err == nil {
			err = rest.remake(ctx, e, other)
		}
		if err != nil {
			return fmt.Errorf("%s, which refers to %s: %w", other, name, err)
		}
	}
	return nil
}

// finish makes the containers anew that refer to this one, and removes the old container.
func (t *Container) finish(ctx context.Context) error {
	err := t.declared.remake(ctx, t.Engine, t.name)
	if err == nil {
		err = t.removePrevious(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnfinished, err)
	}
	return nil
}

// removePrevious removes the old container, but none of that name which this program has
// not renamed.
func (t *Container) removePrevious(ctx context.Context) error {
	own, err := t.own(ctx)
	if err != nil || !own[t.name].replaces(own[t.name+previousSuffix]) {
		return err
	}
	return t.do(ctx, []string{"rm", "--force", t.name + previousSuffix})
}

// remake replaces the container by one with the same image if it was created before base,
// to which it refers. It does not wait for its health: the old one refers to what is gone,
// so there is nothing to return to.
func (t *Container) remake(ctx context.Context, base inspected) error {
	if !t.mu.TryLock() { // its deployment may wait for this one
		return errors.New("it is being deployed")
	}
	defer t.mu.Unlock()
	o, err := t.options()
	if err != nil {
		return err
	}
	all, err := t.containers(ctx)
	if err != nil {
		return err
	}
	old, renamed := all[t.name], false
	if !old.exists() {
		old, renamed = all[t.name+previousSuffix], true
	}
	if !old.exists() {
		return nil // it was not deployed yet
	}
	if old.Created.Before(base.Created) {
		t.Log.Info("making anew what refers to a replaced container", "container", t.name, "replaced", base.Name)
		switch next := all[t.name+nextSuffix]; {
		case next.exists() && next.label(optionsLabel) == "", !renamed && all[t.name+previousSuffix].exists() && !old.replaces(all[t.name+previousSuffix]):
			return fmt.Errorf("%w: a container %s or %s was not made by this program: rename it", ErrRefused, t.name+nextSuffix, t.name+previousSuffix)
		case next.exists():
			if err := t.do(ctx, []string{"rm", "--force", next.ID}); err != nil {
				return err
			}
		}
		if err := t.create(ctx, o, old.Image, old.label(ruleLabel), old.label(digestLabel), old.label(tagLabel), old.ID); err != nil {
			return err
		}
		if err := t.do(ctx, t.swap(!renamed)...); err != nil {
			return err
		}
	}
	if err := t.do(ctx, []string{"start", t.name}); err != nil {
		return err
	}
	return t.removePrevious(ctx)
}

// checkBases returns an Unavailable if a container that the options refer to does not exist
// or, for a namespace, does not run. A rule may be about to make it.
func (o *options) checkBases(all map[string]inspected, own string) error {
	for _, ref := range o.refers {
		if c := find(all, ref); ref != own && !c.exists() {
			return &Unavailable{Err: fmt.Errorf("the container %s, to which the options refer, does not exist", ref)}
		} else if slices.Contains(o.joins, ref) && !c.State.Running {
			return &Unavailable{Err: fmt.Errorf("the container %s, to which the options refer, does not run", ref)}
		}
	}
	return nil
}

// refersToNothing reports whether a container refers to one that is gone.
func (c inspected) refersToNothing(all map[string]inspected) bool {
	for ref := range c.refs() {
		if !find(all, ref).exists() {
			return true
		}
	}
	return false
}

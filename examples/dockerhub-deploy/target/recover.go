package target

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Recover completes a deployment whose new container is healthy, and otherwise returns to
// the old one.
func (t *Container) Recover(ctx context.Context, failed bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	own, err := t.own(ctx)
	if err != nil {
		return err
	}
	current, next, previous := own[t.name], own[t.name+nextSuffix], own[t.name+previousSuffix]
	if next.exists() && next.label(optionsLabel) == "" {
		return fmt.Errorf("%w: the container %s was not created by this program: rename it", ErrRefused, next.Name)
	}
	var steps [][]string
	var restored inspected // was stopped, and is started
	switch {
	case current.replaces(previous):
		if !failed {
			// The engine may have started the old one again, which then has the ports.
			err := t.do(ctx, []string{"stop", previous.Name})
			if err == nil {
				err = t.start(ctx, nil)
			}
			if err == nil {
				return t.finish(ctx)
			}
			if ctx.Err() != nil || t.Ping(ctx) != nil {
				return err // nothing is known about the image
			}
			t.Log.Warn("an interrupted deployment is undone", "container", t.name, "reason", err)
		}
		if next.exists() {
			steps = append(steps, []string{"rm", "--force", next.ID})
		}
		steps = append(steps, []string{"stop", t.name}, []string{"rename", t.name, t.name + nextSuffix}, []string{"rename", previous.Name, t.name}, []string{"start", t.name})
		next, restored = current, previous
	case !current.exists() && previous.exists() && (next.replaces(previous) || previous.ID == t.moved):
		steps, restored = [][]string{{"rename", previous.Name, t.name}, {"start", t.name}}, previous
	case next.replaces(current):
		// A stop that was interrupted may still go on, and a start alone would do nothing.
		steps, restored = [][]string{{"stop", t.name}, {"start", t.name}}, current
	}
	var all map[string]inspected
	if restored.exists() {
		if all, err = t.containers(ctx); err != nil {
			return err
		}
	}
	err = t.do(ctx, steps...)
	if err == nil && restored.exists() {
		err = t.declared.restart(ctx, t.Engine, all, restored)
	}
	if err == nil && next.exists() {
		err = t.do(ctx, []string{"rm", "--force", next.ID})
	}
	if err == nil {
		t.moved = ""
	}
	return err
}

// restart restarts the declared containers that use a namespace of base, which was stopped
// and started: they are left in the old one, or have ended with it.
func (d declared) restart(ctx context.Context, e *Engine, all map[string]inspected, base inspected) error {
	rest := maps.Clone(d)
	delete(rest, base.Name)
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		c := all[name]
		if !c.exists() || !c.joins(all, base) {
			continue
		}
		if !d[name].mu.TryLock() {
			return fmt.Errorf("%s, which uses %s: it is being deployed", name, base.Name)
		}
		e.Log.Info("restarting what uses a container that was stopped", "container", name, "stopped", base.Name)
		err := e.do(ctx, []string{"restart", name})
		d[name].mu.Unlock()
		if err == nil {
			err = rest.restart(ctx, e, all, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// joins reports whether a container uses a namespace of base.
func (c inspected) joins(all map[string]inspected, base inspected) bool {
	for ref, what := range c.refs() {
		if (what == "network" || what == "ipc" || what == "pid") && find(all, ref).ID == base.ID {
			return true
		}
	}
	return false
}

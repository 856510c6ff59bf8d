package main

import (
	"context"
	"fmt"
	"log/slog"
)

// A docker replaces a container by one of the new image with the same
// configuration. Beside web there are two names while it does:
//
//	web.hookhouse-next      the new one, until it is healthy
//	web.hookhouse-previous  the old one, from then until it is removed
//
// Which of the three exist tells how far a deploy came, so that one that was
// killed at any point is put right by recover.
type docker struct {
	*engine
	log *slog.Logger
}

const (
	nextSuffix     = ".hookhouse-next"
	previousSuffix = ".hookhouse-previous"
	// replacesLabel marks what was created here, with the target's name.
	replacesLabel = "hookhouse.replaces"
	// wasRunningLabel tells whether the old one is to be started again.
	wasRunningLabel = "hookhouse.was-running"
)

// replace does nothing to the old container before the new one is created, and
// stops it only for a new one that is healthy. Where both cannot run at once,
// because of a published port, the old one is stopped before the new one starts.
func (d *docker) replace(ctx context.Context, j job) (bool, error) {
	name, next := j.rule.target, j.rule.target+nextSuffix
	old, err := d.container(ctx, name)
	if err != nil {
		return false, err
	}
	oldImage, err := d.image(ctx, old.Image)
	if err != nil || old.runs(oldImage, j.digest) {
		return false, err
	}
	if j.olderThan(old.Config.Image) {
		return false, fmt.Errorf("%w: %s runs %s", errOlder, name, old.Config.Image)
	}
	c, err := recreate(old, oldImage.Config, name)
	if err != nil {
		return false, err
	}

	d.log.Info("deploying", "target", name, "image", j.pinned())
	if _, err := d.run(ctx, "", "pull", "--quiet", j.pinned()); err != nil {
		return false, err
	}
	if _, err := d.run(ctx, c.env, c.args(next, j.pinned())...); err != nil {
		return false, err
	}
	for _, connect := range c.connects {
		if _, err := d.run(ctx, "", append(connect, next)...); err != nil {
			return false, err
		}
	}
	if c.exclusive && old.State.Running {
		if err := d.do(ctx, "stop", name); err != nil {
			return false, err
		}
	}
	if err := d.do(ctx, "start", next); err != nil {
		return false, d.blame(ctx, err)
	}
	if err := d.wait(ctx, next); err != nil {
		return false, err
	}
	if !c.exclusive && old.State.Running {
		if err := d.do(ctx, "stop", name); err != nil {
			return false, err
		}
	}
	if err := d.do(ctx, "rename", name, name+previousSuffix); err != nil {
		return false, err
	}
	// From here on it is done, and recover only finishes it.
	return true, d.recover(ctx, name, false)
}

// recover goes forward where the new one was found healthy, which is when the
// old one has been renamed, and back otherwise, whatever was found of its image.
func (d *docker) recover(ctx context.Context, name string, _ bool) error {
	next, previous := name+nextSuffix, name+previousSuffix
	have, err := d.names(ctx)
	if err != nil || !have[next] && !have[previous] {
		return err
	}
	if have[previous] && !have[name] {
		replacement := next
		if !have[next] {
			replacement = previous // the new one was removed by hand
		}
		if err := d.do(ctx, "rename", replacement, name); err != nil {
			return err
		}
		have[name], have[replacement] = true, false
		if err := d.do(ctx, "start", name); err != nil {
			return err
		}
	}
	if have[previous] {
		if err := d.do(ctx, "rm", "--force", previous); err != nil {
			return err
		}
	}
	if !have[next] {
		return nil
	}
	c, err := d.container(ctx, next)
	if err != nil {
		return err
	}
	if c.Config.Labels[replacesLabel] != name {
		return fmt.Errorf("%w: there is a container %s, which is not of this program: rename it", errUnsuited, next)
	}
	if err := d.do(ctx, "rm", "--force", next); err != nil {
		return err
	}
	if have[name] && c.Config.Labels[wasRunningLabel] == "true" {
		return d.do(ctx, "start", name) // nothing, where it runs
	}
	return nil
}

// do runs one command of docker about containers.
func (d *docker) do(ctx context.Context, args ...string) error {
	_, err := d.run(ctx, "", args...)
	return err
}
